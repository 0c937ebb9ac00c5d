"""Reprocesses quarantined rows, merges what fits by now, and keeps a record of it."""
