"""Commands for people and machines: the environment, the embedded stack, the data. Nothing in `include/` imports this."""
