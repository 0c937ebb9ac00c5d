"""Labels that come and go as files, for teams that label elsewhere."""
