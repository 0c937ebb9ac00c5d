"""Which rows a model is fitted on, calibrated on and measured on; no row ever does two of the three.

What belongs here: the split by time for labels from the log, folds for the few labels from people, and what keeps rows
that belong together on one side. What does not: which rows belong together (`data/near_duplicates.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

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
            f"{MINIMUM_PARTITIONS} are the least. Raise training.first in the problem file, or let more data arrive; "
            "where rows have no order in time, write training.split: folds."
        )
    n_evaluate = max(1, min(every, len(partitions) // 12))
    n_calibrate = 2 * n_evaluate if len(partitions) >= 2 * MINIMUM_PARTITIONS else 1
    n_fit = len(partitions) - n_calibrate - n_evaluate
    return TimeSplit(
        tuple(partitions[:n_fit]),
        tuple(partitions[n_fit:-n_evaluate]),
        tuple(partitions[len(partitions) - n_evaluate :]),
    )


def settle_straddlers(part_of_row: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Say which rows may stay, so that no group of rows is in two parts of a split.

    A group that lies in several parts is given to one of them, by chance; its rows in the other parts are left out.
    Not always to the latest: where every person has rows in every month, the earlier parts would be empty.

    Args:
        part_of_row: shape (n_rows,), number of the part each row lies in.
        groups: shape (n_rows,), number of each row's group, from 0.
        seed: fixes the choice.

    Returns:
        shape (n_rows,), whether a row stays.
    """
    if len(groups) == int(groups.max(initial=-1)) + 1:  # every row alone
        return np.ones(len(groups), dtype=np.bool_)
    pairs = np.unique(np.column_stack([groups, part_of_row]), axis=0)
    # The largest of random numbers: each of a group's parts is as likely as the others.
    lot = np.random.default_rng(seed).random(len(pairs))
    winners = pairs[np.lexsort((lot, pairs[:, 0]))]
    is_last = np.diff(winners[:, 0], append=-1) != 0
    home = np.full(int(groups.max(initial=-1)) + 1, -1, dtype=np.int64)
    home[winners[is_last, 0]] = winners[is_last, 1]
    return np.asarray(home[groups] == part_of_row, dtype=np.bool_)


def search_folds(partitions: NDArray[np.str_], groups: NDArray[np.int64], n_folds: int, seed: int) -> NDArray[np.int64]:
    """Choose the rows that settings are compared on: the last partition, as later rows are what settings are for.

    A group with rows in the last partition and before is on one side, by chance, as in `settle_straddlers`. Where that
    leaves nothing to ask or nothing to teach with, whole groups are dealt to folds instead.

    Args:
        partitions: shape (n_rows,), the partition of each row.
        groups: shape (n_rows,), number of each row's group.
        n_folds: where there is one partition only.
        seed: fixes the choice.

    Returns:
        shape (n_rows,), 0..n_folds-1; -1 for rows that only teach.
    """
    numbers = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    is_last = np.asarray(partitions == max(partitions), dtype=np.bool_)
    stays = settle_straddlers(is_last.astype(np.int64), numbers, seed)
    folds = np.where(is_last & stays, 0, -1)
    has_both_sides = bool((folds == 0).any() and teaches(folds, numbers, 0).any())
    return folds if has_both_sides else numbers % n_folds


def assign_folds(
    is_positive: NDArray[np.bool_],
    is_evaluated: NDArray[np.bool_],
    n_folds: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Put each row that is measured on into one fold, both classes spread as evenly as whole groups allow.

    Args:
        is_positive: shape (n_rows,).
        is_evaluated: shape (n_rows,); rows that only ever teach (chosen by uncertainty, not by chance) are not measured
            on.
        n_folds: at least 2; less than that of either class is an error.
        seed: fixes the folds.
        groups: shape (n_rows,), number of each row's group: a group is never in two folds. Each row alone when None.

    Returns:
        shape (n_rows,), 0..n_folds-1; -1 for rows that only teach.

    Raises:
        NotEnoughLabels: fewer than `n_folds` measured rows of one class, or groups of them.
    """
    numbers = np.arange(len(is_positive)) if groups is None else groups
    places = np.flatnonzero(is_evaluated)
    measured = is_positive[places]
    n_of_each = [len(np.unique(numbers[places][measured == kind])) for kind in (True, False)]
    n_rarest = min(n_of_each)
    if n_rarest < n_folds:
        raise NotEnoughLabels(
            f"{n_rarest} of {len(measured)} labels chosen by chance are of the rarer class (rows that belong together "
            f"count once); {n_folds} of each class are needed to measure a model on rows it was not fitted on. "
            "Label more items."
        )
    folds = np.full(len(is_positive), -1, dtype=np.int64)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(splitter.split(places, measured, numbers[places])):
        folds[places[held]] = number
    return folds


def teaches(folds: NDArray[np.int64], groups: NDArray[np.int64], fold: int) -> NDArray[np.bool_]:
    """Say which rows may teach the model that answers for one fold: none of it, and none that belongs with one of it.

    Args:
        folds: shape (n_rows,), from `assign_folds`.
        groups: shape (n_rows,), number of each row's group.
        fold: the one that is asked about.
    """
    return np.asarray((folds != fold) & ~np.isin(groups, groups[folds == fold]), dtype=np.bool_)
