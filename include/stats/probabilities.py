"""What is a probability, and how surprised one is by what happened.

What belongs here: the checks that refuse what is no probability, and the one clip of the log loss. What does not: how
good probabilities are (`reliability.py`).
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProbabilities

Floats = NDArray[np.float64]
AnyFloats = NDArray[np.floating]  # a model may answer in single precision
Flags = NDArray[np.bool_]

# A log loss stays finite when a model was certain and wrong: one row costs at most 13.8 nats, in every room.
LEAST_PROBABILITY = 1e-6
TOLERANCE = 1e-6  # how far a row may be from summing to 1: float32 scores of a few hundred classes stay below it


def require_probabilities(p: AnyFloats) -> None:
    """Refuse what is not the probability of one class.

    Args:
        p: shape (n_rows,).

    Raises:
        BadProbabilities: a value is below 0, above 1 or not a number; the worst row is named.
    """
    excess = np.maximum(-p, p - 1.0)
    excess = np.where(np.isnan(excess), np.inf, excess)
    is_bad = excess > 0
    if is_bad.any():
        worst = int(excess.argmax())
        raise BadProbabilities(
            f"{int(is_bad.sum()):,} of {len(p):,} values of `p` are not between 0 and 1 "
            f"(worst: row {worst}, {p[worst]}). Did a model give decision scores instead of probabilities?"
        )


def require_class_probabilities(proba: AnyFloats) -> None:
    """Refuse rows that are not probabilities of several classes, and name the worst one.

    Args:
        proba: shape (n_rows, n_classes).

    Raises:
        BadProbabilities: a row is negative, not finite or does not sum to 1 within 1e-6, or there is one class only.
    """
    if proba.ndim != 2 or proba.shape[1] < 2:
        raise BadProbabilities(
            f"`proba` has the shape {proba.shape}; allowed is (n_rows, n_classes) with at least 2 classes."
        )
    excess = np.maximum(np.abs(proba.sum(axis=1) - 1.0), np.maximum(-proba, proba - 1.0).max(axis=1, initial=0.0))
    excess = np.where(np.isnan(excess), np.inf, excess)
    n_bad = int((excess > TOLERANCE).sum())
    if n_bad:
        worst = int(excess.argmax())
        raise BadProbabilities(
            f"{n_bad} of {len(proba)} rows of `proba` are not probabilities "
            f"(worst: row {worst}, {proba[worst].tolist()}). "
            "Did you pass decision_function scores instead of predict_proba?"
        )


def row_log_loss(is_positive: Flags, p: AnyFloats) -> Floats:
    """Give each row's surprise at what happened: shape (n_rows,), in nats, 0 is none, 13.8 the most.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), 0..1; what is nearer to 0 or 1 than one in a million counts as one in a million.
    """
    clipped = np.clip(np.asarray(p, dtype=np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.log(np.where(is_positive, clipped, 1 - clipped)))
