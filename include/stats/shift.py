"""How far two sets of counts lie apart, by further measures: as shares of bins, and along the line of numbers.

What belongs here: effect sizes, and the test that informs beside them. What does not: the stability index and the
Jensen-Shannon distance (`divergence.py`), which bins, and counting.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, false_discovery_control

from include.stats.column_bins import ColumnBins

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_EXPECTED = 5  # rows; below it the distribution of the chi-square statistic is not the one that is asked


@dataclass(frozen=True)
class ChiSquare:
    """Whether two sets of counts may come from the same shares.

    Attributes:
        statistic: Pearson's over all bins, from 0 up.
        cramers_v: its effect size for two sides of equal size, 0 (same shares) to 1 (no bin in common): of shares
            alone, so that it says the same of 100 rows as of a million.
        p_value: chance of counts at least as far apart where nothing has moved, 0..1.
    """

    statistic: float
    cramers_v: float
    p_value: float


@dataclass(frozen=True)
class NumberShift:
    """How far a number has moved, by what is known from its bins.

    Attributes:
        ks: largest gap between both cumulated shares at the places where they are known exactly, 0..1.
        ks_high: largest gap that there may be anywhere, 0..1; equal to `ks` where every number has a bin of its own.
        wasserstein: area between both cumulated shares, in the unit of the number: how far a row moved on average. The
            numbers of a bin are taken to lie evenly in it.
        wasserstein_error: the true one is at most so far away; 0 where every number has a bin of its own.
    """

    ks: float
    ks_high: float
    wasserstein: float
    wasserstein_error: float


def hellinger_distance(counts: Counts, reference: Counts) -> float:
    """Root of half the summed squares of what the roots of the shares differ by.

    Args:
        counts: shape (n_bins,), at least 1 row in all.
        reference: shape (n_bins,), at least 1 row in all.

    Returns:
        0 (same shares) to 1 (no bin in common).

    Source: Hellinger 1909.
    """
    p, q = counts / counts.sum(), reference / reference.sum()
    return math.sqrt(min(1.0, float(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()) / 2))


def largest_share_gap(counts: Counts, reference: Counts) -> float:
    """Say by how much the share of the bin that moved most has changed: the L-infinity distance, 0..1.

    Args:
        counts: shape (n_bins,), at least 1 row in all.
        reference: shape (n_bins,), at least 1 row in all.
    """
    return float(np.abs(counts / counts.sum() - reference / reference.sum()).max())


def chi_square(counts: Counts, reference: Counts) -> ChiSquare:
    """Test whether two sets of counts come from the same shares; bins without a row on either side do not count.

    The effect size is over all bins. For the p-value those in which fewer than 5 rows are to be expected on a side are
    counted together: with few rows in many bins it would be too small.

    Args:
        counts: shape (n_bins,), at least 1 row in all.
        reference: shape (n_bins,), at least 1 row in all.

    Source: Pearson 1900; the effect size is that of Cramér 1946, the least expected count Cochran's of 1954.
    """
    table = np.stack([counts, reference])[:, (counts > 0) | (reference > 0)].astype(np.float64)
    statistic, _ = _pearson(table)
    n_least = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    is_sparse = n_least < LEAST_EXPECTED
    if is_sparse.any() and n_least[is_sparse].sum() < LEAST_EXPECTED and not is_sparse.all():
        is_sparse[np.flatnonzero(~is_sparse)[n_least[~is_sparse].argmin()]] = True
    pooled = np.column_stack([table[:, ~is_sparse], table[:, is_sparse].sum(axis=1)]) if is_sparse.any() else table
    p, q = table / table.sum(axis=1, keepdims=True)
    effect = math.sqrt(min(1.0, float(((p - q) ** 2 / (p + q)).sum()) / 2))
    return ChiSquare(statistic, effect, _pearson(pooled)[1])


def _pearson(table: Floats) -> tuple[float, float]:
    """Give the statistic of a table of two rows, without a column of zeros, and its p-value."""
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(chi2.sf(statistic, table.shape[1] - 1)) if table.shape[1] > 1 else 1.0


def adjust_p_values(p_values: Sequence[float]) -> list[float]:
    """Correct p-values of a family for their number: of those below a mark, at most that share is false on average.

    Args:
        p_values: 0..1, in any order.

    Returns:
        the corrected ones in the same order, 0..1, never below the plain ones.

    Source: Benjamini, Hochberg 1995, "Controlling the false discovery rate".
    """
    return [float(one) for one in false_discovery_control(p_values, method="bh")] if p_values else []


def shift_of_numbers(
    bins: ColumnBins, counts: Counts, reference: Counts, low: float, high: float
) -> NumberShift | None:
    """Measure how far a number has moved along its line; missing values do not count.

    Args:
        bins: of both sides, of a number; its ends are those of the reference.
        counts: shape (n_bins,), the last one missing values.
        reference: shape (n_bins,).
        low: least number among the counted.
        high: largest of them.

    Returns:
        the shift; None where a side has no number, or one is infinite, or so large that their distance is.

    Source: Kolmogorov 1933, Smirnov 1939; Kantorovich 1939, Vaserstein 1969. The bounds are ours.
    """
    n_known = int(counts[:-1].sum()), int(reference[:-1].sum())
    ends = ((low, high), (bins.low, bins.high))
    if not all(n_known) or any(end is None for side in ends for end in side):
        return None
    all_ends = [float(end) for side in ends for end in side if end is not None]
    if not math.isfinite(max(all_ends) - min(all_ends)):
        return None
    own, edges = np.array(bins.values, dtype=np.float64), np.array(bins.edges, dtype=np.float64)
    shares = np.stack([counts[:-1] / n_known[0], reference[:-1] / n_known[1]])
    inside, rest = shares[:, : len(own)], shares[:, len(own) :]
    ks, ks_high = _bound_gap(np.searchsorted(edges, own, side="left"), inside, rest)
    cuts = [np.array([min([first, *edges]), *edges, max([last, *edges])]) for first, last in ends]
    at = np.unique(np.concatenate([own, *cuts]))
    here, there = (_cumulate(at, own, inside[side], cuts[side], rest[side]) for side in (0, 1))
    error = sum(float((np.diff(cuts[side]) * rest[side]).sum()) / 2 for side in (0, 1))
    return NumberShift(ks, ks_high, _area_between(at, here, there), error)


def _bound_gap(place: NDArray[np.intp], own: Floats, rest: Floats) -> tuple[float, float]:
    """Give the largest gap at the places where it is known, and the largest that there may be.

    Args:
        place: shape (n_own,), between which edges each value of its own lies.
        own: shape (2, n_own), shares of the values with a bin of their own, ascending.
        rest: shape (2, n_places), shares of all other numbers between the edges.
    """
    known, possible = [0.0], [0.0]
    gap = 0.0
    for one in range(rest.shape[1]):
        inside = own[:, place == one]
        if not rest[:, one].any():
            gaps = gap + np.cumsum(inside[0] - inside[1])
            known += np.abs(gaps).tolist()
            after = float(gaps[-1]) if len(gaps) else gap
        else:
            here, there = inside.sum(axis=1) + rest[:, one]
            after = gap + here - there
            possible += [min(gap + here, after + there), min(there - gap, here - after)]
            known.append(abs(after))
        gap = after
    return float(min(1.0, max(known))), float(min(1.0, max(*known, *possible)))


def _cumulate(at: Floats, own: Floats, own_shares: Floats, cuts: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Give the cumulated share just before and just after each place: jumps at values of their own, else straight."""
    through = np.concatenate([[0.0], np.cumsum(rest)])
    first, last = np.searchsorted(cuts, at, side="left"), np.searchsorted(cuts, at, side="right") - 1
    between, is_cut, most = np.interp(at, cuts, through), last >= first, len(cuts) - 1
    # Where two cuts are equal, what lies between them is a jump.
    before = np.where(is_cut, through[np.minimum(first, most)], between)
    after = np.where(is_cut, through[np.clip(last, 0, most)], between)
    up_to = np.concatenate([[0.0], np.cumsum(own_shares)])
    return before + up_to[np.searchsorted(own, at, side="left")], after + up_to[np.searchsorted(own, at, side="right")]


def _area_between(at: Floats, here: tuple[Floats, Floats], there: tuple[Floats, Floats]) -> float:
    """Integrate the gap between two cumulated shares, given just before and just after each place."""
    left, right = (here[1] - there[1])[:-1], (here[0] - there[0])[1:]
    size = np.abs(left) + np.abs(right)
    crossed = np.divide(left**2 + right**2, size, out=np.zeros_like(size), where=size > 0)
    return float((np.diff(at) * np.where(left * right >= 0, size, crossed)).sum() / 2)
