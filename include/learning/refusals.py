"""What only this room refuses; leaves of the tree in `include/errors.py`."""

from include.errors import MulgilError


class BadFeatures(MulgilError):
    """Rows lack a feature column, or hold values no model can use."""


class BadLabels(MulgilError):
    """Labels are not among the classes that the problem declares."""
