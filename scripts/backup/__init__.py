"""`make backup` and `make restore` of an embedded stack, also while it runs.

What belongs here: databases, lake, landing and models of one home as one consistent whole. What does not: PostgreSQL
and stores that somebody else runs; docs/production.md says how those are backed up.
"""
