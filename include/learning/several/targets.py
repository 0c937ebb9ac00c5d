"""What is true of each row, as a table of rows and classes, and how surprised one is by it.

What belongs here: arithmetic on labels and probabilities of several classes. A row is of one class, or of any number of
labels (`multiple`); both are the same table of yes and no. What does not: reading labels (`answers.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning.protocols import Flags, Numbers, Probabilities
from include.stats.probabilities import LEAST_PROBABILITY, require_class_probabilities, require_probabilities


@dataclass(frozen=True)
class Targets:
    """What is true of rows.

    Attributes:
        classes: in the order of the problem file.
        flags: shape (n_rows, n_classes), whether a row is of a class.
        is_multiple: whether a row may be of several, or of none; else it is of exactly one.
    """

    classes: tuple[str, ...]
    flags: NDArray[np.bool_]
    is_multiple: bool

    @property
    def codes(self) -> Numbers:
        """Number of each row's class: shape (n_rows,); only where a row is of one class."""
        return np.asarray(self.flags.argmax(axis=1), dtype=np.int64)

    def where(self, is_taken: Flags | NDArray[np.intp]) -> "Targets":
        """Take some of the rows."""
        return Targets(self.classes, self.flags[is_taken], self.is_multiple)


def split_labels(labels: "pd.Series[str]", *, is_multiple: bool) -> list[tuple[str, ...]]:
    """Read each row's labels as a tuple: of one class it holds that one; null holds none."""
    if is_multiple:
        return [() if value is None else tuple(map(str, value)) for value in labels]
    return [() if pd.isna(value) else (str(value),) for value in labels]


def read_targets(labels: "pd.Series[str]", classes: Sequence[str], *, is_multiple: bool) -> tuple[Targets, Flags]:
    """Write labels as a table of yes and no.

    Args:
        labels: shape (n_rows,), a class, or a list of labels; null where nothing is known.

    Returns:
        the targets, and shape (n_rows,) whether a row's labels are all among the classes: one that is not teaches
        nothing.
    """
    place = {name: index for index, name in enumerate(classes)}
    flags = np.zeros((len(labels), len(classes)), dtype=np.bool_)
    is_usable = np.ones(len(labels), dtype=np.bool_)
    for row, names in enumerate(split_labels(labels, is_multiple=is_multiple)):
        places = [place[name] for name in names if name in place]
        flags[row, places] = True
        is_usable[row] = len(places) == len(names) and (is_multiple or len(names) == 1)
    return Targets(tuple(classes), flags, is_multiple), is_usable


def row_surprise(targets: Targets, p: Probabilities) -> Probabilities:
    """Give each row's log loss: shape (n_rows,), in nats; of several labels the mean over them.

    Args:
        p: shape (n_rows, n_classes), 0..1.
    """
    clipped = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    if targets.is_multiple:
        return np.asarray(-np.log(np.where(targets.flags, clipped, 1 - clipped)).mean(axis=1))
    return np.asarray(-np.log(clipped[np.arange(len(p)), targets.codes]))


def row_squared_error(targets: Targets, p: Probabilities) -> Probabilities:
    """Give each row's squared error: shape (n_rows,); summed over classes (0..2), of several labels their mean (0..1).

    Source: Brier 1950, in his form for several classes.
    """
    squared = (np.asarray(p, dtype=np.float64) - targets.flags) ** 2
    return np.asarray(squared.mean(axis=1) if targets.is_multiple else squared.sum(axis=1))


def require_table(p: Probabilities, *, is_multiple: bool) -> None:
    """Refuse what is no table of probabilities.

    Raises:
        BadProbabilities: a value is outside 0..1; of classes, a row does not sum to 1.
    """
    if is_multiple:
        require_probabilities(p.ravel())
    else:
        require_class_probabilities(p)
