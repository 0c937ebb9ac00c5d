"""How reviewers and the choice of items did."""
