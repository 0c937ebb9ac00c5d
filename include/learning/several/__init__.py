"""Several classes, and several labels for one row: the same stages as for two sides, with arithmetic of their own."""
