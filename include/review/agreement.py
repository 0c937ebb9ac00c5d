"""Whether people who see the same item say the same, beyond what chance would give them.

What belongs here: counts of answers in, coefficients with intervals out. What does not: whose answers they are, and
where they are kept (`measuring.py`).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError
from include.review.estimating import Estimate

N_RESAMPLES = 1_000
Counts = NDArray[np.int64]  # shape (n_items, n_classes): how many people gave each item each class


def cohen_kappa(counts: NDArray[np.int64]) -> float:
    """Say how much two people agree beyond chance, each with habits of their own.

    Args:
        counts: shape (n_classes, n_classes): items by the first person's answer and the second's.

    Returns:
        1 for full agreement, 0 for what chance gives, below 0 for less; NaN where both always say one and the same
        class, because then chance already explains everything.

    Raises:
        MulgilError: there is no item that both answered.

    Source: Cohen 1960.
    """
    n_items = counts.sum()
    if not n_items:
        raise MulgilError("0 items were answered by both people, so there is no agreement to measure.")
    observed = float(np.trace(counts)) / float(n_items)
    expected = float((counts.sum(axis=0) * counts.sum(axis=1)).sum()) / float(n_items) ** 2
    return _beyond_chance(observed, expected)


def fleiss_kappa(counts: Counts) -> float:
    """Say how much a fixed number of people agree beyond chance, whoever they are from item to item.

    Args:
        counts: shape (n_items, n_classes); every row sums to the same number of people, 2 or more.

    Returns:
        as `cohen_kappa`.

    Raises:
        MulgilError: items were answered by different numbers of people, or by fewer than two.

    Source: Fleiss 1971.
    """
    n_people = np.unique(counts.sum(axis=1))
    if n_people.size != 1 or n_people[0] < 2:
        raise MulgilError(
            f"Fleiss' kappa wants the same number of people, at least 2, for each of the {len(counts)} items; there "
            f"are items with {', '.join(map(str, n_people.tolist())) or 'nobody'}. "
            "Krippendorff's alpha takes any number."
        )
    people = int(n_people[0])
    observed = float(((counts * (counts - 1)).sum(axis=1) / (people * (people - 1))).mean())
    shares = counts.sum(axis=0) / counts.sum()
    return _beyond_chance(observed, float((shares**2).sum()))


def krippendorff_alpha(counts: Counts) -> float:
    """Say how much people agree beyond chance, for any number of people an item and any gaps.

    Args:
        counts: shape (n_items, n_classes); items that fewer than two people answered are left out.

    Returns:
        as `cohen_kappa`; corrected for few items.

    Raises:
        MulgilError: no item was answered by two people.

    Source: Krippendorff 2011, Computing Krippendorff's alpha-reliability, nominal data.
    """
    paired = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    if not len(paired):
        raise MulgilError(
            f"0 of {len(counts)} items were answered by two people. "
            "Raise review.overlap_share, or wait for second answers."
        )
    people = paired.sum(axis=1)
    # Pairs of answers to one item that match, each person's answers weighing one in all.
    matching = float(((paired * (paired - 1)).sum(axis=1) / (people - 1)).sum())
    totals, n_answers = paired.sum(axis=0), float(paired.sum())
    by_chance = float((totals * (totals - 1)).sum()) / (n_answers - 1)
    return _beyond_chance(matching / n_answers, by_chance / n_answers)


def one_against_rest(counts: Counts, label: int) -> Counts:
    """Fold all other classes into one, to see how well people agree about this one."""
    own = counts[:, label]
    return np.column_stack([own, counts.sum(axis=1) - own])


def with_interval(
    statistic: Callable[[Counts], float], counts: Counts, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> Estimate:
    """Measure, and let the items be drawn again to see how much the figure hangs on which they were.

    Args:
        statistic: takes counts.
        counts: shape (n_items, n_classes).
        rng: the draws.
        n_resamples: how many; those in which everybody says one class are no figure and are left out.

    Returns:
        the value with a 95 % percentile interval; NaN bounds where no draw gives a figure.
    """
    value = statistic(counts)
    drawn = [statistic(counts[rng.integers(len(counts), size=len(counts))]) for _ in range(n_resamples)]
    known = np.asarray([figure for figure in drawn if np.isfinite(figure)])
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    return Estimate(value, float(low), float(high))


def _beyond_chance(observed: float, expected: float) -> float:
    """Scale agreement so that chance is 0 and full agreement 1."""
    return float("nan") if expected >= 1.0 else (observed - expected) / (1.0 - expected)
