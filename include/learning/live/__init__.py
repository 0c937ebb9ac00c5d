"""A promoted model that answers one row at a time, while somebody waits; the door of this room for the service."""
