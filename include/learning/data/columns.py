"""The columns of training rows and of held-out answers beside the problem's own.

What belongs here: their names, spelled once; the underscore distinguishes them from a problem's columns.
"""

IS_KNOWN = "_is_known"
IS_POSITIVE = "_is_positive"
LABELS = "_labels"  # of several classes the class, of several labels the list of them, of a quantity the number
IS_RULE = "_is_rule"
IS_RANDOM = "_is_random"
BLOCK = "_block"

# Held-out answers of each candidate where several compete, and which protected group a row is in.
P_OF, SEGMENT = "p_of_", "segment_"
# What the chosen model says of a held-out row when its calibrator has learned from other held-out days, too.
P_RECALIBRATED = "p_recalibrated"
