"""Holds the weights of a linear candidate to the directions that a problem promises, while it is fitted.

What belongs here: the fit under bounds. What does not: directions of trees, which the library keeps
(`training/estimators.py`), and the question whether a fitted model keeps them (`evaluation/gate_checks.py`).
"""

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from scipy.special import expit
from sklearn.compose import ColumnTransformer

from include.learning.protocols import Encoder, LinearClassifier, Numbers, Probabilities

LEAST_GRADIENT = 1e-8  # of the mean loss; the library's own solvers stop at 1e-4
MOST_STEPS = 1_000


class Matrix(Protocol):
    """Encoded rows of a linear candidate: an array, or a sparse matrix."""

    @property
    def T(self) -> Self:  # noqa: N802 - as both call it
        """Columns for rows."""

    def __matmul__(self, weights: Probabilities, /) -> Probabilities:
        """Weigh the columns of each row."""


def signs_of(encoder: Encoder, names: tuple[str, ...], directions: dict[str, int], n_columns: int) -> Numbers:
    """Say of each encoded column what its weight may be.

    Args:
        encoder: fitted; numbers stand in it as the part `numbers`, each scaled by something above 0.
        names: the numbers, in its order.
        directions: feature to 1 (the probability never falls) or -1 (never rises).
        n_columns: of the encoded rows.

    Returns:
        shape (n_columns,): 1 at least 0, -1 at most 0, 0 anything.
    """
    signs = np.zeros(n_columns, dtype=np.int64)
    if isinstance(encoder, ColumnTransformer) and names:
        signs[encoder.output_indices_["numbers"]] = [directions.get(name, 0) for name in names]
    return signs


def hold_weights(
    model: LinearClassifier, encoded: Matrix, is_positive: Numbers, signs: Numbers, strength: float
) -> None:
    """Fit a logistic regression anew with every weight on its side of 0, where one was on the other; else leave it.

    Setting a weight to 0 that points the wrong way would leave the others as they were beside it.

    Args:
        model: a fitted logistic regression with a ridge penalty, whose weights are replaced.
        encoded: shape (n_rows, n_columns).
        is_positive: shape (n_rows,), 0 and 1.
        signs: shape (n_columns,), from `signs_of`.
        strength: above 0, how strongly weights are held: the inverse of scikit-learn's `C`.

    Source: L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995), as SciPy has it, on scikit-learn's own objective.
    """
    before = model.coef_.ravel()
    if not (before * signs < 0).any():
        return  # the best of all weights is the best of the allowed ones
    side, n_rows = 2.0 * is_positive - 1.0, len(is_positive)
    hold = strength / n_rows

    def loss(point: Probabilities) -> tuple[float, Probabilities]:
        weights, shift = point[:-1], point[-1]
        margin = side * (encoded @ weights + shift)
        pull = -side * expit(-margin) / n_rows
        value = np.logaddexp(0.0, -margin).mean() + hold / 2 * (weights @ weights)
        return float(value), np.append(encoded.T @ pull + hold * weights, pull.sum())

    low, high = (np.append(np.where(signs == sign, 0.0, end), end) for sign, end in ((1, -np.inf), (-1, np.inf)))
    start: NDArray[np.float64] = np.clip(np.append(before, model.intercept_), low, high)
    found = minimize(
        loss,
        start,
        (),
        "L-BFGS-B",
        True,
        bounds=Bounds(low, high),
        options={"maxiter": MOST_STEPS, "gtol": LEAST_GRADIENT, "ftol": 0.0},
    ).x
    model.coef_, model.intercept_ = found[None, :-1], found[-1:]
