"""Which variant goes to whom, what came of it, and what it really added."""
