"""Whether groups of people are treated alike: who is acted on, who is missed, and whether the probability is honest.

What belongs here: answers for held-out rows and their groups in, numbers with intervals out. What does not: which
difference is too large (a person decides; the gate has a tolerance of its own).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from include.learning.protocols import Flags, Numbers, Probabilities
from include.stats.block_means import compare_means, variance_of_mean
from include.stats.proportions import korn_graubard

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
        low: lower end of the 95 % interval; None where all its rows are of one block, and nobody can say.
        high: upper end.
        difference: value less that of all other rows; None where either is missing.
        difference_low: lower end of its 95 % interval; None where either side is of one block.
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
    is_acted: Flags,
    is_positive: Flags,
    p: Probabilities,
    blocks: Numbers,
) -> list[GroupMetric]:
    """Compare every group with everybody else; how sure one is follows from the days that the group itself has.

    * selection_rate: share that is acted on;
    * true_positive_rate: share of the positive rows that is acted on;
    * false_positive_rate: share of the negative rows that is acted on;
    * calibration_gap: mean probability less the share that happened; above 0 the group is thought worse than it is.

    Args:
        groups: shape (n_rows,), the group of each row.
        is_acted: shape (n_rows,), whether the model would act, were nobody asked.
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), its probability, 0..1.
        blocks: shape (n_rows,), day or group of each row; rows of one hang together.

    Returns:
        four for each group, the groups by name; at most 20 groups, the smallest ones as `(all others)`.

    Source: Barocas, Hardt and Narayanan 2023, Fairness and machine learning, chapter 3; Korn and Graubard 1998 for
        rates, put together as in Newcombe 1998, method 10.
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
        _compare(str(group), metric, values, is_asked, shown == group, blocks)
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
    values: Probabilities,
    is_asked: Flags,
    is_in: Flags,
    blocks: Numbers,
) -> GroupMetric:
    """Measure one group and the others on the rows that the metric asks about."""
    inside, outside = is_asked & is_in, is_asked & ~is_in
    n_rows, n_others = int(inside.sum()), int(outside.sum())
    if n_rows < MINIMUM_ROWS:
        note = f"{n_rows} rows are too few to say anything about a group; {MINIMUM_ROWS} are needed."
        return GroupMetric(group, metric, None, None, None, None, None, None, n_rows, note)
    is_share = metric != CALIBRATION
    value = float(values[inside].mean())
    low, high = _ends(values[inside], blocks[inside], is_share=is_share)
    if n_others < MINIMUM_ROWS:
        note = f"There are {n_others} other rows, too few to compare with; {MINIMUM_ROWS} are needed."
        return GroupMetric(group, metric, value, low, high, None, None, None, n_rows, note)
    theirs = float(values[outside].mean())
    least, most = _ends(values[outside], blocks[outside], is_share=is_share)
    difference, gap_low, gap_high = value - theirs, None, None
    if not is_share:
        found = compare_means(values[is_asked], is_in[is_asked], blocks[is_asked])
        gap_low, gap_high = (found.low, found.high) if found else (None, None)
    elif low is not None and high is not None and least is not None and most is not None:
        # A rate of 0 or 1 has no spread of its own, so the interval comes from the ends of both.
        gap_low = difference - math.hypot(value - low, most - theirs)
        gap_high = difference + math.hypot(high - value, theirs - least)
    return GroupMetric(group, metric, value, low, high, difference, gap_low, gap_high, n_rows, "")


def _ends(values: Probabilities, blocks: Numbers, *, is_share: bool) -> tuple[float, float] | tuple[None, None]:
    """Say between which ends the mean of rows lies, 95 %; none where they are of one block."""
    variance, n_blocks = variance_of_mean(values, blocks)
    if n_blocks < 2:
        return None, None
    mean = float(values.mean())
    if is_share:
        return korn_graubard(mean, variance, len(values), n_blocks - 1)
    reach = float(t.ppf(0.975, n_blocks - 1)) * math.sqrt(variance)
    return mean - reach, mean + reach
