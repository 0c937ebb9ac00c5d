"""How a column is cut into bins, decided by a reference: values that many rows share, and tenths of the others.

What belongs here: bins as values, and rows of numbers placed in them. What does not: distances (`divergence.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["number", "category"]
Counts = NDArray[np.int64]

N_QUANTILES = 10
# A number that one row in twenty has is a value of its own: tenths would cut it twice, or not at all.
MASS_SHARE = 0.05
MAX_CATEGORIES = 20  # more would each hold too few rows to compare; the rest is counted together
OTHER, UNSEEN, MISSING = "other", "never seen", "missing"


@dataclass(frozen=True)
class ColumnBins:
    """How one column is cut; the last bin is for missing values.

    Attributes:
        feature: name of the column.
        kind: number or category.
        values: those with a bin of their own, ascending; these bins come first.
        edges: of a number, where all other values are cut, ascending: bins are open at both ends, and each holds its
            upper edge. Of a category none: one bin holds the other values that the reference has, one those that it
            never had.
        low: least number of the reference; None without one, and of a category.
        high: largest.
        n_single: values that the reference of a category has once; of a number 1, for the value at an end.
    """

    feature: str
    kind: Kind
    values: tuple[float, ...] | tuple[str, ...]
    edges: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    n_single: int = 1

    @property
    def names(self) -> list[str]:
        """Name the bins as people read them, all different."""
        if self.kind == "category":
            own = [str(value) for value in self.values]
            return [*own, *(name_apart(name, own) for name in (OTHER, UNSEEN, MISSING))]
        words = _distinct([*self.values, *self.edges])
        own, edges = words[: len(self.values)], words[len(self.values) :]
        if not edges:
            return [*own, "any other number" if own else "any number", MISSING]
        inner = [f"{low} to {high}" for low, high in pairwise(edges)]
        return [*own, f"up to {edges[0]}", *inner, f"above {edges[-1]}", MISSING]

    @property
    def rest(self) -> slice:
        """Say which bins hold the values without one of their own."""
        return slice(len(self.values), len(self.names) - 1)


def cut_number(
    feature: str,
    values: Sequence[float],
    quantiles: Sequence[float | None],
    low: float | None = None,
    high: float | None = None,
) -> ColumnBins:
    """Cut a number: values with mass apart, all others where the reference has their quantiles.

    Args:
        feature: name of the column.
        values: those that at least `MASS_SHARE` of the reference's numbers are.
        quantiles: inner quantiles of all others, any order; None, NaN and infinities are left out, equal ones are one.
        low: least number of the reference.
        high: largest.
    """
    finite = {float(edge) for edge in quantiles if edge is not None and math.isfinite(edge)}
    return ColumnBins(feature, "number", tuple(sorted(map(float, values))), tuple(sorted(finite)), low, high)


def cut_category(
    feature: str, n_by_value: Mapping[str, int], n_single: int = 0, limit: int = MAX_CATEGORIES
) -> ColumnBins:
    """Give the commonest values of the reference a bin each; ties go by name, so that the answer never wavers.

    Args:
        feature: name of the column.
        n_by_value: rows of each value; of the commonest alone is enough.
        n_single: how many of all values the reference has once.
        limit: bins at most.
    """
    ranked = sorted(n_by_value, key=lambda value: (-n_by_value[value], value))
    return ColumnBins(feature, "category", tuple(sorted(ranked[:limit])), n_single=n_single)


def cut_numbers(feature: str, numbers: NDArray[np.float64], n_quantiles: int = N_QUANTILES) -> ColumnBins:
    """Cut a number by its own rows.

    Args:
        feature: name of the column.
        numbers: shape (n_rows,); NaN is missing.
        n_quantiles: into how many parts the values without a bin of their own are cut.
    """
    known = numbers[~np.isnan(numbers)]
    distinct, n_rows = np.unique(known, return_counts=True)
    own = distinct[n_rows >= max(2, MASS_SHARE * len(known))]
    rest = known[~np.isin(known, own)]
    inner = np.arange(1, n_quantiles) / n_quantiles
    quantiles = np.quantile(rest[np.isfinite(rest)], inner).tolist() if np.isfinite(rest).any() else []
    low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
    return cut_number(feature, own.tolist(), quantiles, low, high)


def place_numbers(bins: ColumnBins, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
    """Say in which bin each number is: shape (n_rows,), places in `bins.names`; NaN is in the last."""
    own = np.array(bins.values, dtype=np.float64)
    place = len(own) + np.searchsorted(np.array(bins.edges, dtype=np.float64), numbers, side="left")
    if len(own):
        near = np.minimum(np.searchsorted(own, numbers), len(own) - 1)
        place = np.where(own[near] == numbers, near, place)
    return np.asarray(np.where(np.isnan(numbers), len(bins.names) - 1, place), dtype=np.intp)


def name_apart(name: str, values: Sequence[str]) -> str:
    """Name a bin so that no value of the column is called the same: in brackets, as many as it takes."""
    while name in values:
        name = f"({name})"
    return name


def _distinct(numbers: Sequence[float]) -> list[str]:
    """Write numbers with as few digits as tell them apart, six at least."""
    for digits in range(6, 17):
        words = [f"{number:.{digits}g}" for number in numbers]
        if len(set(words)) == len(set(numbers)):
            return words
    return [repr(float(number)) for number in numbers]
