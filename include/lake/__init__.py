"""The lake: Iceberg tables of typed, masked, audited rows, and of what was kept out of them.

Other rooms enter by `reading` and `writing` only.
"""
