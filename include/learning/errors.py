"""What only this room refuses, leaves of the tree in `include/errors.py`; and who is told whose refusal it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from include.errors import MulgilError, NotEnoughLabels, TamperedModel


class BadFeatures(MulgilError):
    """Rows lack a feature column, or hold values no model can use."""


class NothingToRead(BadFeatures):
    """Rows hold nothing that a candidate reads: texts without a word."""


class BadLabels(MulgilError):
    """Labels are not among the classes that the problem declares."""


class NotAdditive(MulgilError):
    """Contributions do not sum to what the model said, so they explain something else; they are never shown."""


class BadRule(MulgilError):
    """A rule is asked for that was never proposed."""


class CannotExplain(MulgilError):
    """A model is of a kind, or rows are too few, for what was asked about them."""


@contextmanager
def error_context(problem: str, about: str, stays: str = "The model in production stays.") -> Iterator[None]:
    """Say in a refusal which problem it is about and that nothing was replaced; pure files know neither.

    Args:
        about: training point, version, partition or batch, as the sentence begins.
        stays: what goes on as before.

    Raises:
        NotEnoughLabels, BadFeatures, BadLabels, TamperedModel: as the block raises them, with the problem named.
    """
    try:
        yield
    except (NotEnoughLabels, BadFeatures, BadLabels, TamperedModel) as error:
        raise type(error)(f"{problem}, {about}: {error} {stays}") from error
