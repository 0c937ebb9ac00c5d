"""Fits the candidates of a version, and says when one is due."""
