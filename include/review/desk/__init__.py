"""What a person can see and do at the Review desk, and who may do it."""
