"""Which versions there are, what each consists of, and which one serves."""
