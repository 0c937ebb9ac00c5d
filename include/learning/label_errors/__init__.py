"""Finds labels that are probably wrong."""
