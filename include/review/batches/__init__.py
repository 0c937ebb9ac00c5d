"""Batches from opened to finished."""
