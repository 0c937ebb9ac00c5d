"""How far has a column moved? Distances between two count vectors over the same bins.

What belongs here: bins as values, and formulas over counts. What does not: counting, which the engine does
(`profile.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from include.errors import BadReference

Counts = NDArray[np.int64]
Kind = Literal["number", "category"]

N_QUANTILES = 10
MAX_CATEGORIES = 20  # more would each hold too few rows to compare; the rest is counted together
CHANCE = 0.999


@dataclass(frozen=True)
class Bins:
    """How one column is cut, decided by its reference; the last bin is for missing values.

    Attributes:
        feature: name of the column.
        kind: what `cuts` are.
        cuts: of a number, the inner edges, ascending: bins are open at both ends, and each holds its upper edge. Of a
            category, the values with a bin of their own; one more bin holds all others.
    """

    feature: str
    kind: Kind
    cuts: tuple[Any, ...]

    @property
    def names(self) -> list[str]:
        """Name the bins as people read them."""
        if self.kind == "category":
            return [*map(str, self.cuts), "other", "missing"]
        if not self.cuts:
            return ["any number", "missing"]
        inner = [f"{low:g} to {high:g}" for low, high in pairwise(self.cuts)]
        return [f"up to {self.cuts[0]:g}", *inner, f"above {self.cuts[-1]:g}", "missing"]


@dataclass(frozen=True)
class Drift:
    """How far one column moved between its reference and a partition."""

    n_rows: int
    n_reference: int
    n_bins: int
    psi_ratio: float
    psi_chance_ratio: float
    js_ratio: float
    missing_ratio: float
    reference_missing_ratio: float


def bins_of_number(feature: str, quantiles: Sequence[float | None]) -> Bins:
    """Cut a number where its reference has its quantiles; equal and infinite ones are one edge, or none.

    Args:
        feature: name of the column.
        quantiles: inner quantiles of the reference, any order; None or NaN where it has no values.
    """
    finite = {float(edge) for edge in quantiles if edge is not None and math.isfinite(edge)}
    return Bins(feature, "number", tuple(sorted(finite)))


def bins_of_category(feature: str, n_by_value: Mapping[str, int], limit: int = MAX_CATEGORIES) -> Bins:
    """Give the commonest values of the reference a bin each; ties go by name, so that the answer never wavers."""
    ranked = sorted(n_by_value, key=lambda value: (-n_by_value[value], value))
    return Bins(feature, "category", tuple(sorted(ranked[:limit])))


def compare(counts: Counts, reference: Counts) -> Drift:
    """Measure how far a column moved.

    Args:
        counts: shape (n_bins,), rows of the partition per bin; the last bin is for missing values.
        reference: shape (n_bins,), rows of the reference over the same bins.

    Raises:
        BadReference: the bins do not match, a count is negative, or one side has no rows.
    """
    _require_comparable(counts, reference)
    n_rows, n_reference = int(counts.sum()), int(reference.sum())
    n_bins = int(((counts > 0) | (reference > 0)).sum())
    return Drift(
        n_rows=n_rows,
        n_reference=n_reference,
        n_bins=n_bins,
        psi_ratio=population_stability_index(counts, reference),
        psi_chance_ratio=index_by_chance(n_rows, n_reference, n_bins),
        js_ratio=jensen_shannon_distance(counts, reference),
        missing_ratio=float(counts[-1] / n_rows),
        reference_missing_ratio=float(reference[-1] / n_reference),
    )


def population_stability_index(counts: Counts, reference: Counts) -> float:
    """Sum over bins of (p - q) ln(p / q): p the shares of the partition, q those of the reference.

    A bin that is empty on one side counts as half a row there, or the index would be infinite; the other shares shrink
    to make room. A bin that is empty on both sides does not count at all.

    Returns:
        from 0 (no change) up; 0.1 and 0.25 are the usual marks for a little and a lot.

    Source: Siddiqi 2006, "Credit Risk Scorecards", chapter 9; it is the symmetrised divergence of Kullback, Leibler
    1951. The half row is ours.
    """
    used = (counts > 0) | (reference > 0)
    p, q = (np.where(side[used] > 0, side[used], 0.5) for side in (counts, reference))
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())


def index_by_chance(n_rows: int, n_reference: int, n_bins: int, probability: float = CHANCE) -> float:
    """Say which stability index sampling alone exceeds once in a thousand comparisons, when nothing has moved.

    The index is then near (1 / n + 1 / m) times a chi-square variable with n_bins - 1 degrees of freedom.

    Source: Yurdakul 2018, "Statistical properties of population stability index", section 3.
    """
    if n_bins < 2:
        return 0.0
    return float((1 / n_rows + 1 / n_reference) * chi2.ppf(probability, n_bins - 1))


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


def _bits(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Sum of p log2(p / q) over the bins that p uses; 0 log 0 is 0."""
    used = p > 0
    return float((p[used] * np.log2(p[used] / q[used])).sum())


def _require_comparable(counts: Counts, reference: Counts) -> None:
    """Refuse two count vectors that say nothing about each other."""
    if counts.shape != reference.shape:
        raise BadReference(f"{counts.size} bins cannot be compared with a reference of {reference.size} bins.")
    if (counts < 0).any() or (reference < 0).any():
        raise BadReference(f"Counts below 0 are not counts: {counts.tolist()} against {reference.tolist()}.")
    for side, name in ((counts, "partition"), (reference, "reference")):
        if side.sum() == 0:
            raise BadReference(f"The {name} has 0 rows in its {side.size} bins; at least 1 is needed to compare.")
