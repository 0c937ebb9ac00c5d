"""How good a fitted version is, where it errs, and whether it may serve."""
