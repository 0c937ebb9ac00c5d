"""One module per built-in data set: which package it comes from, what its columns mean, how its rows are made.

Nothing here touches the network or writes a file; `scripts/build_datasets.py` does both.
"""
