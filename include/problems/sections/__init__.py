"""The sections of a problem file: one file each, as the rooms they are for."""
