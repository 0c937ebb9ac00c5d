"""What another policy would have earned, from a log whose choices were made by chance with known propensities.

Pure: cells of equal units in, estimates out. What does not belong here: reading logs, and choosing a policy.
"""
