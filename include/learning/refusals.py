"""What only this room refuses; leaves of the tree in `include/errors.py`."""

from include.errors import MulgilError


class BadFeatures(MulgilError):
    """Rows lack a feature column, or hold values no model can use."""


class BadLabels(MulgilError):
    """Labels are not among the classes that the problem declares."""


class NotAdditive(MulgilError):
    """Contributions do not sum to what the model said, so they explain something else; they are never shown."""


class BadRule(MulgilError):
    """A rule is asked for that was never proposed."""


class CannotExplain(MulgilError):
    """A model is of a kind, or rows are too few, for what was asked about them."""
