"""Joins what other logs of a problem say to its rows, when they are read: as of a time, never later."""
