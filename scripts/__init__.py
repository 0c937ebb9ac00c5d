"""Commands for people and machines: the environment, the embedded stack, the data. `include/` imports none of it."""
