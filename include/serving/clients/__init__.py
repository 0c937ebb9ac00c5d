"""Programs to copy: what decides, from a published file alone, which variant a unit gets."""
