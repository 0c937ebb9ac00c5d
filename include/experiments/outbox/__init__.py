"""Lists who is to be sent which variant, for a mailer to read: each unit once for an experiment.

What does not belong here: sending, and what is known of variants.
"""
