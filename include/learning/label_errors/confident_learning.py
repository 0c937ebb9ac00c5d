"""Which labels are probably wrong: people gave one class, and a model that was not shown the answer is sure of another.

What belongs here: given labels and out-of-fold probabilities in, suspects out. What does not: asking people again (the
review room reads `core.suspected_label`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProbabilities
from include.learning.errors import BadLabels

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Suspects:
    """Labels that are probably wrong.

    Attributes:
        confident_joint: shape (n_classes, n_classes), rows by given class and by the class the model is sure of; rows
            that it is sure of nothing about are in no cell.
        thresholds: shape (n_classes,), from which probability on it counts as sure: its mean over rows given the class.
        rows: positions of the suspects, the most suspicious first.
        suggested: the class the model is sure of, in the order of `rows`.
        given_probability: 0..1, what the model gives the given class, in the order of `rows`.
    """

    confident_joint: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    rows: NDArray[np.intp]
    suggested: NDArray[np.intp]
    given_probability: NDArray[np.float64]


def find_suspects(given: NDArray[np.int64], proba: NDArray[np.float64]) -> Suspects:
    """Find rows whose given class the model is sure is another one.

    The model is sure of class j where p_j reaches t_j, the mean of p_j over the rows that were given class j: a class
    that it is never very sure of asks for less. Of several such classes the most probable one counts. A row is
    suspected when that class is not the given one. Ranked by p_given - p_suggested, the worst first; ties keep the
    order of the rows.

    Args:
        given: shape (n_rows,), 0..n_classes-1.
        proba: shape (n_rows, n_classes), out of fold: from models that were not shown the row's label.

    Returns:
        the suspects; a class that nobody was given has no threshold (infinity) and is suggested for no row.

    Raises:
        BadLabels: a label is not among the classes, or there is one for another number of rows.
        BadProbabilities: a row's probabilities are not probabilities.

    Source: Northcutt, Jiang and Chuang 2021, Confident learning: estimating uncertainty in dataset labels, section 3.1
    (the confident joint) and 3.2 (its off-diagonal rows).
    """
    _require_fit(given, proba)
    n_classes = proba.shape[1]
    thresholds = np.array(
        [proba[given == label, label].mean() if (given == label).any() else np.inf for label in range(n_classes)]
    )
    is_sure = proba >= thresholds - TOLERANCE
    sure_of = np.where(is_sure.any(axis=1), np.argmax(np.where(is_sure, proba, -1.0), axis=1), -1)
    joint = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(joint, (given[sure_of >= 0], sure_of[sure_of >= 0]), 1)
    rows = np.flatnonzero((sure_of >= 0) & (sure_of != given))
    p_given, p_other = proba[rows, given[rows]], proba[rows, sure_of[rows]]
    # Sure by its own threshold, and still less probable than the given class: people and model agree after all.
    is_kept = p_other > p_given
    order = np.argsort((p_given - p_other)[is_kept], kind="stable")
    rows = rows[is_kept][order]
    return Suspects(joint, thresholds, rows, sure_of[rows], proba[rows, given[rows]])


def _require_fit(given: NDArray[np.int64], proba: NDArray[np.float64]) -> None:
    """Refuse labels and probabilities that do not belong together.

    Raises:
        BadLabels: there are more or fewer labels than rows, or one is no class.
        BadProbabilities: a row is below 0 or does not sum to 1.
    """
    if len(given) != len(proba):
        raise BadLabels(f"There are {len(given):,} labels for {len(proba):,} rows of probabilities; each row has one.")
    is_outside = (given < 0) | (given >= proba.shape[1])
    if is_outside.any():
        row = int(np.flatnonzero(is_outside)[0])
        raise BadLabels(
            f"{int(is_outside.sum()):,} of {len(given):,} labels are not among the {proba.shape[1]} classes "
            f"(first: row {row}, {given[row]}); allowed are 0 to {proba.shape[1] - 1}."
        )
    is_bad = ~((proba >= 0).all(axis=1) & (np.abs(proba.sum(axis=1) - 1) <= TOLERANCE))
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        raise BadProbabilities(
            f"{int(is_bad.sum()):,} of {len(proba):,} rows of `proba` are not probabilities (first: row {row}, "
            f"{proba[row].tolist()}); they are >= 0 and sum to 1."
        )
