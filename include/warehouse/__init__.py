"""The SQL warehouse: what the rooms leave for people to query, and for each other to meet in."""
