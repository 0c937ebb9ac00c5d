"""Which share of the coming units each arm gets, from the sums of the arms so far.

Pure: sums and a generator in, shares out. What does not belong here: reading sums, deciding, and who gets which arm.
"""
