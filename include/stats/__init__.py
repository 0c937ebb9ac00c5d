"""What several rooms compute, once: intervals, resampling by block, reliability, distances between counts.

The floor below the rooms: arrays in, numbers out. It imports numpy, scipy and the hall, and every room may call it.
"""
