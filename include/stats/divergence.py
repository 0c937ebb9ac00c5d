"""How far two sets of counts over the same bins lie apart.

What belongs here: distances, and what sampling alone brings. What does not: which bins, and counting.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

CHANCE = 0.999
N_DRAWS = 20_000
NEAR = (0.8, 3.0)  # times the chi-square mark; elsewhere the verdict is clear without a draw
_SEED = 2_018


def population_stability_index(counts: Counts, reference: Counts) -> float:
    """Sum over bins of (p - q) ln(p / q): p the shares of the rows, q those of the reference.

    A bin that is empty on one side counts as half a row there, or the index would be infinite; the other shares shrink
    to make room. A bin that is empty on both sides does not count at all.

    Args:
        counts: shape (n_bins,), at least 1 row in all.
        reference: shape (n_bins,), at least 1 row in all.

    Returns:
        from 0 (no change) up; 0.1 and 0.25 are the usual marks for a little and a lot.

    Source: Siddiqi 2006, "Credit Risk Scorecards", chapter 9; it is the symmetrised divergence of Kullback, Leibler
    1951. The half row is ours.
    """
    return float(_indices(counts[None, :], reference[None, :])[0])


def index_by_chance(counts: Counts, reference: Counts, probability: float = CHANCE) -> float:
    """Say which stability index sampling alone exceeds once in a thousand comparisons, when nothing has moved.

    The index is near (1 / n + 1 / m) times a chi-square variable with n_bins - 1 degrees of freedom, but that mark is
    exceeded two to three times in a thousand, most where bins hold few rows. So where the index of these counts is near
    it, both sides are drawn anew from the shares that they have together. Equal counts give equal answers.

    Args:
        counts: shape (n_bins,), at least 1 row in all.
        reference: shape (n_bins,), at least 1 row in all.
        probability: 0..1.

    Source: Yurdakul 2018, "Statistical properties of population stability index", section 3; the draws are ours.
    """
    together = counts + reference
    n_bins = int((together > 0).sum())
    if n_bins < 2:
        return 0.0
    mark = float((1 / counts.sum() + 1 / reference.sum()) * chi2.ppf(probability, n_bins - 1))
    low, high = NEAR
    if not low * mark < population_stability_index(counts, reference) < high * mark:
        return mark
    rng = np.random.default_rng(_SEED)
    shares = together / together.sum()
    here, there = (rng.multinomial(int(side.sum()), shares, N_DRAWS) for side in (counts, reference))
    return float(np.quantile(_indices(here, there), probability, method="higher"))


def _indices(counts: Counts, reference: Counts) -> Floats:
    """Give the index of each of several pairs: counts of shape (n_pairs, n_bins) to shape (n_pairs,)."""
    used = (counts > 0) | (reference > 0)
    p, q = (np.where(used, np.maximum(side, 0.5), 0.0) for side in (counts, reference))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    ratio = np.divide(p, q, out=np.ones_like(p), where=used)
    return np.asarray(((p - q) * np.log(ratio)).sum(axis=1), dtype=np.float64)


def jensen_shannon_distance(counts: Counts, reference: Counts) -> float:
    """Square root of the Jensen-Shannon divergence in bits; empty bins need no smoothing.

    Returns:
        0 (same shares) to 1 (no bin in common).

    Source: Lin 1991; as a metric, Endres, Schindelin 2003.
    """
    p, q = counts / counts.sum(), reference / reference.sum()
    middle = (p + q) / 2
    divergence = (_bits(p, middle) + _bits(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))  # rounding may leave it outside by one part in 1e16


def _bits(p: Floats, q: Floats) -> float:
    """Sum of p log2(p / q) over the bins that p uses; 0 log 0 is 0."""
    used = p > 0
    return float((p[used] * np.log2(p[used] / q[used])).sum())
