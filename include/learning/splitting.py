"""Which rows a model is fitted on, calibrated on and measured on; no row ever does two of the three.

What belongs here: the split by time for labels from the log, and folds for the few labels from people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from include.errors import NotEnoughLabels

MINIMUM_PARTITIONS = 3


@dataclass(frozen=True)
class TimeSplit:
    """Partitions by what they are for, each oldest first."""

    fit: tuple[str, ...]
    calibrate: tuple[str, ...]
    evaluate: tuple[str, ...]


def training_points(prefix: Sequence[str], first: int, every: int) -> list[str]:
    """Name the partitions after which a model is fitted.

    Args:
        prefix: published partitions without a gap, oldest first.
        first: partitions before the first fit, at least 1.
        every: partitions between two fits, at least 1.

    Returns:
        the last partition that each model may have seen, oldest first.
    """
    return list(prefix[first - 1 :: every])


def split_by_time(partitions: Sequence[str], every: int) -> TimeSplit:
    """Split partitions so that a model is always measured on later rows than it saw.

    One of twelve partitions is measured on, at least one, and never more than `every`, so that the model of the
    training point before has seen none of them. Twice as many calibrate: one month alone would hand its own season on.
    6 give 3, 2, 1; 12 give 9, 2, 1; fewer than 6 calibrate on one.

    Args:
        partitions: oldest first, at least 3.
        every: partitions between two training points.

    Raises:
        NotEnoughLabels: fewer than 3 partitions.
    """
    if len(partitions) < MINIMUM_PARTITIONS:
        raise NotEnoughLabels(
            f"{len(partitions)} partitions cannot be fitted on, calibrated on and measured on; "
            f"{MINIMUM_PARTITIONS} are the least. Raise training.first in the problem file, or let more data arrive."
        )
    n_evaluate = max(1, min(every, len(partitions) // 12))
    n_calibrate = 2 * n_evaluate if len(partitions) >= 2 * MINIMUM_PARTITIONS else 1
    n_fit = len(partitions) - n_calibrate - n_evaluate
    return TimeSplit(
        tuple(partitions[:n_fit]),
        tuple(partitions[n_fit:-n_evaluate]),
        tuple(partitions[len(partitions) - n_evaluate :]),
    )


def assign_folds(
    is_positive: NDArray[np.bool_], is_evaluated: NDArray[np.bool_], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Put each row that is measured on into one fold, both classes spread evenly.

    Args:
        is_positive: shape (n_rows,).
        is_evaluated: shape (n_rows,); rows that only ever teach (chosen by doubt, not by chance) are not measured on.
        n_folds: at least 2; less than that of either class is an error.
        seed: fixes the folds.

    Returns:
        shape (n_rows,), 0..n_folds-1; -1 for rows that only teach.

    Raises:
        NotEnoughLabels: fewer than `n_folds` measured rows of one class.
    """
    measured = is_positive[is_evaluated]
    n_rarest = int(min(measured.sum(), (~measured).sum()))
    if n_rarest < n_folds:
        raise NotEnoughLabels(
            f"{n_rarest} of {len(measured)} labels chosen by chance are of the rarer class; "
            f"{n_folds} of each class are needed to measure a model on rows it was not fitted on. Label more items."
        )
    folds = np.full(len(is_positive), -1, dtype=np.int64)
    places = np.flatnonzero(is_evaluated)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(splitter.split(places, measured)):
        folds[places[held]] = number
    return folds
