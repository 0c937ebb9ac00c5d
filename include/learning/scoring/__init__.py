"""Turns rows of the lake into predictions."""
