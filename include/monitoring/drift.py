"""How far has a column moved? A partition's counts beside those of the reference, over the same bins.

What belongs here: what is compared with what. What does not: the distances themselves (`include.stats.divergence`), and
counting, which the engine does (`aggregates.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from include.errors import BadReference
from include.stats.column_bins import ColumnBins
from include.stats.divergence import CHANCE, index_by_chance, jensen_shannon_distance, population_stability_index
from include.stats.shift import NumberShift, chi_square, hellinger_distance, largest_share_gap, shift_of_numbers

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ColumnCounts:
    """The rows of one column and partition, or of the whole reference.

    Attributes:
        bins: shape (n_bins,), rows in each bin; the last one is for missing values.
        n_unseen: rows whose value is outside the reference's range, or one that the reference never had.
        low: least number; None without one, and of a category.
        high: largest.
    """

    bins: Counts
    n_unseen: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Drift:
    """How far one column moved between its reference and a partition; the columns of `core.feature_drift`.

    Attributes:
        n_rows: of the partition.
        n_reference: of the reference.
        n_bins: that have rows on either side.
        psi_ratio: stability index over all bins.
        psi_chance_ratio: index that sampling alone exceeds once in a thousand comparisons of this size.
        psi_rest_ratio: index of the values without a bin of their own, among themselves: what happens to the few that
            are not 0 hardly shows among all rows. None where there are none on a side, or all values are of that kind.
        psi_rest_chance_ratio: as `psi_chance_ratio`.
        unseen_ratio: share of the partition's values that the reference never had, or outside its range.
        unseen_chance_ratio: share that sampling alone exceeds once in a thousand comparisons of this size.
        js_ratio: Jensen-Shannon distance over all bins.
        missing_ratio: share of missing values, 0..1.
        reference_missing_ratio: share of them in the reference, 0..1.
        hellinger_ratio: Hellinger distance over all bins, 0..1.
        linf_ratio: change of share of the bin that moved most, 0..1.
        ks_ratio: largest gap of the cumulated shares where they are known exactly, 0..1; None of a category.
        ks_high_ratio: largest gap that there may be anywhere, 0..1.
        wasserstein: how far a row moved on average, in the unit of the column; None of a category.
        wasserstein_error: the true one is at most so far away.
        cramers_v_ratio: effect size of the chi-square test over all bins, 0..1.
        chi_square_p_value: of that test, 0..1; it informs, and decides nothing.
    """

    n_rows: int
    n_reference: int
    n_bins: int
    psi_ratio: float
    psi_chance_ratio: float
    psi_rest_ratio: float | None
    psi_rest_chance_ratio: float | None
    unseen_ratio: float
    unseen_chance_ratio: float
    js_ratio: float
    missing_ratio: float
    reference_missing_ratio: float
    hellinger_ratio: float
    linf_ratio: float
    ks_ratio: float | None
    ks_high_ratio: float | None
    wasserstein: float | None
    wasserstein_error: float | None
    cramers_v_ratio: float
    chi_square_p_value: float


def compare(bins: ColumnBins, here: ColumnCounts, reference: ColumnCounts, *, is_in_reference: bool = False) -> Drift:
    """Measure how far a column moved.

    Args:
        bins: of both sides.
        here: the partition's rows.
        reference: the reference's.
        is_in_reference: whether the partition is a part of it, so that nothing in it can be new.

    Raises:
        BadReference: the bins do not match, a count is negative, or one side has no rows.
    """
    _require_comparable(here.bins, reference.bins)
    if bins.kind == "category" and not is_in_reference:
        reference = ColumnCounts(_leave_one_out(bins, reference.bins), reference.n_unseen)
    n_rows, n_reference = int(here.bins.sum()), int(reference.bins.sum())
    n_known, n_reference_known = n_rows - int(here.bins[-1]), n_reference - int(reference.bins[-1])
    rest_here, rest_there = here.bins[bins.rest], reference.bins[bins.rest]
    line, test = _shift_of(bins, here, reference), chi_square(here.bins, reference.bins)
    is_apart = bool(rest_here.any() and rest_there.any() and bins.values) and bins.kind == "number"
    return Drift(
        n_rows=n_rows,
        n_reference=n_reference,
        n_bins=int(((here.bins > 0) | (reference.bins > 0)).sum()),
        psi_ratio=population_stability_index(here.bins, reference.bins),
        psi_chance_ratio=index_by_chance(here.bins, reference.bins),
        psi_rest_ratio=population_stability_index(rest_here, rest_there) if is_apart else None,
        psi_rest_chance_ratio=index_by_chance(rest_here, rest_there) if is_apart else None,
        unseen_ratio=here.n_unseen / n_known if n_known else 0.0,
        unseen_chance_ratio=unseen_by_chance(n_known, n_reference_known, bins.n_single),
        js_ratio=jensen_shannon_distance(here.bins, reference.bins),
        missing_ratio=float(here.bins[-1] / n_rows),
        reference_missing_ratio=float(reference.bins[-1] / n_reference),
        hellinger_ratio=hellinger_distance(here.bins, reference.bins),
        linf_ratio=largest_share_gap(here.bins, reference.bins),
        ks_ratio=line.ks if line else None,
        ks_high_ratio=line.ks_high if line else None,
        wasserstein=line.wasserstein if line else None,
        wasserstein_error=line.wasserstein_error if line else None,
        cramers_v_ratio=test.cramers_v,
        chi_square_p_value=test.p_value,
    )


def _shift_of(bins: ColumnBins, here: ColumnCounts, reference: ColumnCounts) -> NumberShift | None:
    """Measure how far a number moved along its line; None of a category, or where a side has no number."""
    if bins.kind == "category" or here.low is None or here.high is None:
        return None
    return shift_of_numbers(bins, here.bins, reference.bins, here.low, here.high)


def unseen_by_chance(n_rows: int, n_reference: int, n_single: int) -> float:
    """Say which share of never seen values sampling alone exceeds once in a thousand comparisons.

    Were each row of the reference left out in turn, `n_single` would be new. Hence the new ones among n rows beside a
    reference of m are negative binomial with n_single + 1 successes of chance m / (m + n); for the two ends of a range
    n_single is 1.

    Args:
        n_rows: rows of the partition with a value.
        n_reference: of the reference.
        n_single: values that the reference has once.

    Returns:
        0..1; 1 where the reference has no value, and nothing can be told.

    Source: Good 1953, "The population frequencies of species"; the predictive distribution is ours.
    """
    if n_rows == 0 or n_reference == 0:
        return 1.0
    n_new = float(nbinom.ppf(CHANCE, n_single + 1, n_reference / (n_reference + n_rows)))
    return min(1.0, n_new / n_rows)


def _leave_one_out(bins: ColumnBins, counts: Counts) -> Counts:
    """Say what the reference's rows would be, each compared with all others: a value seen once was never seen.

    Source: Good 1953: so often a next row brings a new value.
    """
    n_own = len(bins.values)
    expected = counts.copy()
    is_single = expected[:n_own] == 1
    n_single_in_others = min(max(bins.n_single - int(is_single.sum()), 0), int(counts[n_own]))
    expected[:n_own][is_single] = 0
    expected[n_own] -= n_single_in_others
    expected[n_own + 1] += int(is_single.sum()) + n_single_in_others
    return expected


def _require_comparable(counts: Counts, reference: Counts) -> None:
    """Refuse two count vectors that say nothing about each other.

    Raises:
        BadReference: they have different bins, a count below 0, or no row.
    """
    if counts.shape != reference.shape:
        raise BadReference(f"{counts.size} bins cannot be compared with a reference of {reference.size} bins.")
    if (counts < 0).any() or (reference < 0).any():
        raise BadReference(f"Counts below 0 are not counts: {counts.tolist()} against {reference.tolist()}.")
    for side, name in ((counts, "partition"), (reference, "reference")):
        if side.sum() == 0:
            raise BadReference(f"The {name} has 0 rows in its {side.size} bins; at least 1 is needed to compare.")
