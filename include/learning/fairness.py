"""Whether groups of people are treated alike: who is acted on, who is missed, and whether the probability is honest.

What belongs here: answers for held-out rows and their groups in, numbers with intervals out. What does not: which
difference is too large (a person decides; the gate has a tolerance of its own).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.learning import metrics

# With fewer rows than this in its denominator a rate's interval covers nearly everything, and names people.
MINIMUM_ROWS = 30
MAX_GROUPS = 20
OTHERS = "(all others)"
MISSING = "(missing)"

SELECTION, TRUE_POSITIVE, FALSE_POSITIVE, CALIBRATION = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "calibration_gap",
)


@dataclass(frozen=True)
class GroupMetric:
    """One number about one group, and how far it is from everybody else's.

    Attributes:
        group_value: the group.
        metric: selection_rate, true_positive_rate, false_positive_rate or calibration_gap.
        value: 0..1, or -1..1 for the gap; None where the group is too small.
        low: lower end of the 95 % bootstrap interval.
        high: upper end.
        difference: value less that of all other rows; None where either is missing.
        difference_low: lower end of its interval, from the same resamples.
        difference_high: upper end.
        n_rows: rows it is a share of.
        note: why there is no number; empty where there is one.
    """

    group_value: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    n_rows: int
    note: str


def fairness_by_group(
    groups: NDArray[np.str_],
    is_acted: NDArray[np.bool_],
    is_positive: NDArray[np.bool_],
    p: NDArray[np.float64],
    weights: NDArray[Any],
) -> list[GroupMetric]:
    """Compare every group with everybody else, on the same resamples.

    * selection_rate: share that is acted on;
    * true_positive_rate: share of the positive rows that is acted on;
    * false_positive_rate: share of the negative rows that is acted on;
    * calibration_gap: mean probability less the share that happened; above 0 the group is thought worse than it is.

    Args:
        groups: shape (n_rows,), the group of each row.
        is_acted: shape (n_rows,), whether the model would act, were nobody asked.
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), its probability, 0..1.
        weights: shape (n_resamples, n_rows).

    Returns:
        four for each group, the groups by name; at most 20 groups, the smallest ones as `(all others)`.

    Source: Barocas, Hardt and Narayanan 2023, Fairness and machine learning, chapter 3.
    """
    shown = join_small_groups(groups)
    always = np.ones(len(shown), dtype=np.bool_)
    questions = {
        SELECTION: (is_acted.astype(np.float64), always),
        TRUE_POSITIVE: (is_acted.astype(np.float64), is_positive),
        FALSE_POSITIVE: (is_acted.astype(np.float64), ~is_positive),
        CALIBRATION: (p - is_positive, always),
    }
    return [
        _compare(str(group), metric, values, is_asked, shown == group, weights)
        for group in np.unique(shown)
        for metric, (values, is_asked) in questions.items()
    ]


def join_small_groups(groups: NDArray[np.str_], limit: int = MAX_GROUPS) -> NDArray[np.str_]:
    """Keep the largest groups by name; the rest becomes one group. Ties are broken by name."""
    names, counts = np.unique(groups, return_counts=True)
    if len(names) <= limit:
        return groups
    kept = names[np.lexsort((names, -counts))][: limit - 1]
    return np.asarray(np.where(np.isin(groups, kept), groups, OTHERS), dtype=np.str_)


def _compare(
    group: str,
    metric: str,
    values: NDArray[np.float64],
    is_asked: NDArray[np.bool_],
    is_in: NDArray[np.bool_],
    weights: NDArray[Any],
) -> GroupMetric:
    """Measure one group and the others on the rows that the metric asks about."""
    inside, outside = is_asked & is_in, is_asked & ~is_in
    n_rows, n_others = int(inside.sum()), int(outside.sum())
    if n_rows < MINIMUM_ROWS:
        note = f"{n_rows} rows are too few to say anything about a group; {MINIMUM_ROWS} are needed."
        return GroupMetric(group, metric, None, None, None, None, None, None, n_rows, note)
    resampled = _means(values, inside, weights)
    value = float(values[inside].mean())
    low, high = metrics.interval(resampled)
    if n_others < MINIMUM_ROWS:
        note = f"There are {n_others} other rows, too few to compare with; {MINIMUM_ROWS} are needed."
        return GroupMetric(group, metric, value, low, high, None, None, None, n_rows, note)
    difference = value - float(values[outside].mean())
    gap_low, gap_high = metrics.interval(resampled - _means(values, outside, weights))
    return GroupMetric(group, metric, value, low, high, difference, gap_low, gap_high, n_rows, "")


def _means(values: NDArray[np.float64], is_in: NDArray[np.bool_], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Average some rows under each resample; NaN where a resample holds none of them."""
    part = weights[:, is_in]
    n_rows = np.asarray(part.sum(axis=1), dtype=np.float64)
    total = np.asarray(part @ values[is_in].astype(part.dtype), dtype=np.float64)
    return np.asarray(np.divide(total, n_rows, out=np.full(len(total), np.nan), where=n_rows > 0))
