"""Answers of experiments and models while somebody waits: the published file, and the service that reads it."""
