"""Whether people who see the same item say the same, beyond what chance would give them.

What belongs here: counts of answers in, coefficients with intervals out (Rubin 1981, The Bayesian bootstrap, with one
item's worth of prior weight spread over all pairs of answers, Perks 1947). What does not: whose answers they are, and
where they are kept (`metrics/store.py`).
"""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError
from include.review.metrics.prevalence import Estimate

MIN_ITEMS = 10  # fewer say nothing about people
N_DRAWS = 500
# The middle 98 of 100 draws hold the truth in about 95 of 100 simulated cases, also of ten items; the middle 95 in 88
# to 94. Of a class of 1 in 10, told by two to five people, they hold it in 91 to 99 (`python -m bench.agreement`).
ENDS = (0.01, 0.99)
MOST_DRAWN = 4_000_000  # numbers held at a time: 32 MB
Counts = NDArray[np.int64]  # shape (n_items, n_classes): how many people gave each item each class


class AgreementRow(TypedDict):
    """One coefficient of people's agreement as `core.agreement` keeps it; what is no figure is None, not 0."""

    scope: str
    subject: str
    statistic: str
    n_items: int
    value: float | None
    low: float | None
    high: float | None


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


def estimate_kappas(tables: NDArray[np.int64], rng: np.random.Generator) -> list[Estimate]:
    """Measure many pairs of people at once, each with an interval.

    Args:
        tables: shape (n_pairs, n_classes, n_classes), each as for `cohen_kappa`.
        rng: the draws.

    Returns:
        for each pair Cohen's kappa with its 95 % interval; NaN where there are fewer than `MIN_ITEMS` items, or both
        always said one class.
    """
    n_pairs, n_classes = len(tables), tables.shape[1]
    cells = tables.reshape(n_pairs, n_classes**2)
    prior = np.full(n_classes**2, 1.0 / n_classes**2)
    n_at_once = max(1, MOST_DRAWN // (N_DRAWS * n_classes**2))
    estimates = []
    for start in range(0, n_pairs, n_at_once):
        some = cells[start : start + n_at_once]
        drawn = _draw(some, prior, rng).reshape(len(some), N_DRAWS, n_classes, n_classes)
        kappas = _kappas(drawn)
        values = _kappas(tables[start : start + n_at_once].astype(np.float64))
        estimates += [_around(*one) for one in zip(values, kappas, some.sum(axis=1), strict=True)]
    return estimates


def estimate_alpha(counts: Counts, rng: np.random.Generator) -> Estimate:
    """Measure Krippendorff's alpha with its 95 % interval, over items that two people or more answered.

    Returns:
        NaN where there are fewer than `MIN_ITEMS` such items, or everybody always said one class.
    """
    paired = counts[counts.sum(axis=1) >= 2]
    patterns, weights, prior = _patterns(paired)
    drawn = _draw(weights[np.newaxis], prior, rng)[0]
    values = _alphas(weights.astype(np.float64)[np.newaxis], patterns)
    return _around(values[0], _alphas(drawn, patterns), len(paired))


def estimate_fleiss(counts: Counts, rng: np.random.Generator) -> Estimate:
    """Measure Fleiss' kappa with its 95 % interval, over items of two answers; NaN as for `estimate_alpha`.

    Raises:
        MulgilError: as of `fleiss_kappa`.
    """
    patterns, weights, prior = _patterns(counts)
    drawn = _draw(weights[np.newaxis], prior, rng)[0]
    # Two people an item: shares of agreeing items, and of classes among all answers.
    agreeing = ((patterns == 2).any(axis=1)).astype(np.float64)
    observed = drawn @ agreeing / drawn.sum(axis=1)
    shares = drawn @ patterns / (2 * drawn.sum(axis=1, keepdims=True))
    value = fleiss_kappa(counts) if len(counts) else float("nan")
    return _around(value, _scale(observed, (shares**2).sum(axis=1)), len(counts))


def _patterns(counts: Counts) -> tuple[Counts, NDArray[np.int64], NDArray[np.float64]]:
    """Count the distinct ways in which items were answered, with every way in which two people could answer.

    Returns:
        (patterns, how many items each, prior weight of each).
    """
    n_classes = counts.shape[1]
    one = np.eye(n_classes, dtype=np.int64)
    pairs = (one[:, np.newaxis] + one).reshape(-1, n_classes)
    patterns, place = np.unique(np.concatenate([counts, pairs]), axis=0, return_inverse=True)
    place = place.ravel()
    weights = np.bincount(place[: len(counts)], minlength=len(patterns))
    prior = np.bincount(place[len(counts) :], minlength=len(patterns)) / len(pairs)
    return patterns, weights, prior


def _draw(counts: NDArray[np.int64], prior: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how the items may lie in the whole, given how these few lay; shape (n_groups, N_DRAWS, n_patterns).

    One item's worth of prior weight lets a group agree less than it was seen to, also where it always agreed: its own
    items drawn again could only agree once more.
    """
    shape = (len(counts), N_DRAWS, counts.shape[1])
    drawn = rng.standard_gamma((counts + prior)[:, np.newaxis, :], size=shape)
    # Of many classes some draw is all zeros: nothing is known then, and the figure is none.
    total = np.maximum(drawn.sum(axis=2, keepdims=True), np.finfo(np.float64).tiny)
    scaled: NDArray[np.float64] = drawn / total * counts.sum(axis=1)[:, np.newaxis, np.newaxis]
    return scaled


def _kappas(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute Cohen's kappa of many tables; the last two axes are the classes."""
    n_items = np.maximum(tables.sum(axis=(-2, -1)), np.finfo(np.float64).tiny)
    observed = np.trace(tables, axis1=-2, axis2=-1) / n_items
    return _scale(observed, (tables.sum(axis=-2) * tables.sum(axis=-1)).sum(axis=-1) / n_items**2)


def _alphas(weights: NDArray[np.float64], patterns: Counts) -> NDArray[np.float64]:
    """Compute Krippendorff's alpha of many weightings of the same patterns; shape (n_draws,)."""
    people = patterns.sum(axis=1)
    matching = weights @ ((patterns * (patterns - 1)).sum(axis=1) / (people - 1))
    totals, n_answers = weights @ patterns, weights @ people
    by_chance = (totals * np.maximum(totals - 1, 0)).sum(axis=1) / np.maximum(n_answers - 1, 1)
    n_answers = np.maximum(n_answers, 1)
    return _scale(matching / n_answers, by_chance / n_answers)


def _around(value: float, drawn: NDArray[np.float64], n_items: int) -> Estimate:
    """Put the 95 % interval of the draws around a value."""
    known = drawn[np.isfinite(drawn)]
    if n_items < MIN_ITEMS or not np.isfinite(value) or not known.size:
        return Estimate(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(known, ENDS)
    return Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)))


def _scale(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale agreement as `_beyond_chance` does, NaN where chance explains everything."""
    is_open = expected < 1.0
    scaled: NDArray[np.float64] = np.where(is_open, (observed - expected) / np.where(is_open, 1 - expected, 1), np.nan)
    return scaled


def _beyond_chance(observed: float, expected: float) -> float:
    """Scale agreement so that chance is 0 and full agreement 1."""
    return float("nan") if expected >= 1.0 else (observed - expected) / (1.0 - expected)
