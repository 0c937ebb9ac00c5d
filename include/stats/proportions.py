"""Intervals of shares that hold whatever the share, and the correction for asking many questions.

What belongs here: exact intervals, also of rows that were drawn unequally, and Holm's correction. What does not:
Wilson's interval, which is narrower and right on average (`wilson.py`).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

from include.errors import BadCounts
from include.stats.wilson import require_shares

Floats = NDArray[np.float64]


def clopper_pearson(n_hits: float, n_rows: float, confidence: float = 0.95) -> tuple[float, float]:
    """Say between which ends a share lies; never less sure than stated, whatever the share.

    Args:
        n_hits: rows that did, 0..n_rows; an effective number need not be whole.
        n_rows: rows that could have, above 0.
        confidence: 0..1, both sides together.

    Returns:
        (low, high), 0..1; of 0 hits low is 0, of all rows high is 1.

    Raises:
        BadCounts: there are no rows, or more hits than rows.

    Source: Clopper and Pearson 1934, by quantiles of the beta distribution.
    """
    require_shares(np.asarray(n_hits, dtype=np.float64), np.asarray(n_rows, dtype=np.float64))
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, n_hits, n_rows - n_hits + 1)) if n_hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, n_hits + 1, n_rows - n_hits)) if n_hits < n_rows else 1.0
    return low, high


def korn_graubard(
    share: float, variance: float, n_rows: float, n_degrees: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Say between which ends a share lies that was estimated from rows drawn unequally.

    The rows are as good as n_e = share (1 - share) / variance rows drawn plainly, at most all of them, and fewer still
    where the variance itself is known from few: times (t of n - 1 / t of the degrees of freedom)². Then as
    `clopper_pearson`.

    Args:
        share: the estimate, 0..1.
        variance: of the estimate, at least 0; 0 where none was seen, so that the rows count as drawn plainly.
        n_rows: rows drawn, at least 1; of rows of unequal weight what they are worth (Kish), (sum w)² / sum w².
        n_degrees: of freedom of the variance, at least 1.

    Raises:
        BadCounts: there are no rows, or the share is none.

    Source: Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data".
    """
    if n_rows < 1 or n_degrees < 1 or not 0 <= share <= 1:
        raise BadCounts(
            f"A share of {share} from {n_rows:,.10g} rows ({n_degrees:,} degrees of freedom) has no interval."
        )
    n_effective = effective_rows(share, variance, n_rows)
    if n_rows > 1 and n_effective < n_rows:
        tail = (1 - confidence) / 2
        n_effective *= float((t.ppf(tail, n_rows - 1) / t.ppf(tail, n_degrees)) ** 2)
    return clopper_pearson(share * n_effective, n_effective, confidence)


def effective_rows(share: float, variance: float, n_rows: float) -> float:
    """Say how many plainly drawn rows know a share as well: share (1 - share) / variance, at most all of them."""
    return min(float(n_rows), share * (1 - share) / variance) if variance > 0 and 0 < share < 1 else float(n_rows)


def holm(p_values: Floats) -> Floats:
    """Correct p-values for having asked several questions: below a level, no false one is among them more often.

    Args:
        p_values: shape (n,), 0..1, dependent in any way.

    Returns:
        shape (n,), in the same order, each at least as large as before.

    Raises:
        BadCounts: a p-value is not between 0 and 1.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    p = np.asarray(p_values, dtype=np.float64)
    is_bad = ~((p >= 0) & (p <= 1))
    if is_bad.any():
        raise BadCounts(f"{int(is_bad.sum())} of {len(p)} p-values are not between 0 and 1 (first: {p[is_bad][0]}).")
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected
