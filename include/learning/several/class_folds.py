"""Which classes can be learned from so many rows, and which rows measure a model of them.

What belongs here: counting rows of classes, and dealing them to folds. What does not: fitting (`fit_classes.py`).
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from include.errors import NotEnoughLabels
from include.learning.calibration.selection import N_FOLDS
from include.learning.protocols import Flags, Numbers, Probabilities
from include.learning.several.targets import Targets

# Of fewer rows nobody can say what a class is like; it keeps its share until there are more.
MINIMUM_CLASS_ROWS = 5


def require_two_classes(targets: Targets, what_for: str) -> None:
    """Refuse rows of one class only, of which nothing can be told apart.

    Raises:
        NotEnoughLabels: says how many rows of which class there are.
    """
    n_of = targets.flags.sum(axis=0)
    if int((n_of > 0).sum()) < 2:
        present = [name for name, n in zip(targets.classes, n_of, strict=True) if n]
        raise NotEnoughLabels(
            f"The {len(targets.flags):,} rows to {what_for} are of {len(present)} of {len(targets.classes)} classes "
            f"({', '.join(present) or 'none'}); a model needs two at least. Wait for more data, or mend label.value."
        )


def learnable(targets: Targets) -> tuple[NDArray[np.intp], Probabilities, list[str]]:
    """Say which classes have enough rows to be learned; another one gets its share until it has.

    Returns:
        places of the learned classes; shape (n_classes,), the share of each other class (0 for a learned one); a
        sentence for each other class.

    Raises:
        NotEnoughLabels: fewer than two classes have enough rows.
    """
    n_of = targets.flags.sum(axis=0)
    learned = np.flatnonzero(n_of >= MINIMUM_CLASS_ROWS)
    if len(learned) < 2:
        best = ", ".join(f"{name} {int(n)}" for name, n in zip(targets.classes, n_of, strict=True))
        raise NotEnoughLabels(
            f"{len(learned)} of {len(targets.classes)} classes have {MINIMUM_CLASS_ROWS} rows or more to learn from "
            f"({best}); two are the least. Label more items, or let more data arrive."
        )
    shares = np.where(n_of >= MINIMUM_CLASS_ROWS, 0.0, shares_of(targets))
    said = [
        f"{targets.classes[place]!r} has {int(n_of[place])} of {len(targets.flags):,} rows to learn from, fewer than "
        f"{MINIMUM_CLASS_ROWS}; every row gets its share, {shares[place]:.4f}, until there are more."
        for place in np.flatnonzero(n_of < MINIMUM_CLASS_ROWS)
    ]
    return learned, shares, said


def shares_of(targets: Targets) -> Probabilities:
    """Say how often each class happens: all that the dummy knows; one row of each is added, so none is impossible."""
    n_of = targets.flags.sum(axis=0)
    return np.asarray((n_of + 1) / (len(targets.flags) + len(targets.classes)), dtype=np.float64)


def deal_folds(targets: Targets, is_evaluated: Flags, groups: Numbers, seed: int) -> Numbers:
    """Put each row that is measured on into one of five folds, classes spread as evenly as whole groups allow.

    Args:
        is_evaluated: shape (n_rows,); labels chosen by uncertainty only ever teach.

    Returns:
        shape (n_rows,), folds from 0; -1 for rows that only teach.

    Raises:
        NotEnoughLabels: fewer than two classes have as many measured rows as there are folds, or fewer groups have
            rows than that.
    """
    places = np.flatnonzero(is_evaluated)
    flags = targets.flags[places]
    n_of = flags.sum(axis=0)
    common = np.flatnonzero(n_of >= N_FOLDS)
    if len(common) < 2:
        counts = ", ".join(f"{name} {int(n)}" for name, n in zip(targets.classes, n_of, strict=True))
        raise NotEnoughLabels(
            f"{len(common)} of {len(targets.classes)} classes have {N_FOLDS} labels chosen by chance ({counts}); two "
            "are needed to measure a model on rows it was not fitted on. Label more items."
        )
    n_groups = len(np.unique(groups[places]))
    if n_groups < N_FOLDS:
        raise NotEnoughLabels(
            f"{len(places):,} labels are of {n_groups} groups of rows that belong together; {N_FOLDS} are needed, each "
            "on one side. Label items of more groups, or leave out training.group."
        )
    # All classes that are too rare to stand in every fold are dealt as one.
    kinds = np.where(flags[:, common].any(axis=1), flags[:, common].argmax(axis=1), len(common))
    folds = np.full(len(is_evaluated), -1, dtype=np.int64)
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the rare ones together may still be fewer than the folds
        for number, (_, held) in enumerate(splitter.split(places, kinds, groups[places])):
            folds[places[held]] = number
    return folds
