"""Every variant against the control in one metric: how much more it brings, and between which ends.

What belongs here: sums in, comparisons out. What does not: what must not get worse (`guardrails.py`), what is sent
(`primary.py`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from include.experiments.comparison import BETTER, CONTROL, UNCLEAR, WORSE, Comparison, Outcome, compare_with_control
from include.experiments.metrics.definitions import Metric
from include.experiments.metrics.log import MetricSum
from include.stats.always_valid import always_valid_interval
from include.stats.clustered_ratio import ratio_design_effect
from include.stats.ratio_sums import (
    Estimate,
    difference_interval,
    difference_p_value,
    estimate_ratio,
    mean_interval,
)
from include.stats.regression_adjustment import adjust_means

_MIRRORED = {BETTER: WORSE, WORSE: BETTER}


@dataclass(frozen=True)
class MetricVariant:
    """One metric of one variant beside the control; a row of `core.experiment_metric`.

    Attributes:
        metric, role, kind: as the file says.
        is_lower_better: whether less is better.
        measured: what it rests on.
        estimate: of the mean, None while there is none.
        comparison: its rate is the mean, in the metric's unit; better is what the file calls better.
        margin: of a guardrail, in the metric's unit.
        adjustment: the lift without what was so before; None where the file names no covariate.
    """

    metric: str
    role: str
    kind: str
    is_lower_better: bool
    variant: str
    measured: MetricSum
    estimate: Estimate | None
    comparison: Comparison
    margin: float | None = None
    adjustment: "Adjustment | None" = None


@dataclass(frozen=True)
class Adjustment:
    """A lift freed of what a covariate explains, beside the plain one.

    Attributes:
        state: adjusted, ratio (single units have none), unvaried (of no variant did two units differ before) or few
            (a variant has fewer than two units); but for the first, only the plain lift counts.
        weight: how much of the metric goes with one of the covariate; None without.
        lift, low, high: as of the plain comparison; None of the control.
    """

    state: str
    weight: float | None = None
    lift: float | None = None
    low: float | None = None
    high: float | None = None


def compare_metric(
    metric: Metric, sums: Mapping[str, MetricSum], control: str, level: float, *, has_covariate: bool = False
) -> dict[str, MetricVariant]:
    """Compare every variant with the control in one metric; the bands of a metric hold together at the level.

    Whether something happened is compared as rewards are (Newcombe's interval); everything else by Welch's interval of
    the means, or by the delta method where a ratio is asked or clusters were drawn. With k variants each of the k - 1
    bands takes its part of 1 - level (Bonferroni).

    Args:
        metric: what was asked.
        sums: per variant, in the order of the file.
        control: one of them.
        level: 0..1.
        has_covariate: whether the lift is told without what was so before, too.

    Returns:
        one per variant, in their order.
    """
    adjustments = _adjust(sums, control, level) if has_covariate else {}
    is_known = {name: one.sums.n > 0 and one.sums.sum_m > 0 for name, one in sums.items()}
    estimates = {name: estimate_ratio(one.sums) if is_known[name] else None for name, one in sums.items()}
    if metric.kind == "binary":
        compared = compare_with_control({name: _outcome_of(one) for name, one in sums.items()}, control, level)
    else:
        compared = _compare_means(estimates, control, level)
    return {
        name: MetricVariant(
            metric.name,
            metric.role,
            metric.kind,
            metric.is_lower_better,
            name,
            sums[name],
            estimates[name],
            replace(one, verdict=_MIRRORED.get(one.verdict, one.verdict)) if metric.is_lower_better else one,
            metric.margin,
            adjustments.get(name),
        )
        for name, one in compared.items()
    }


def _adjust(sums: Mapping[str, MetricSum], control: str, level: float) -> dict[str, Adjustment]:
    """Compare adjusted means with the control's, by the same bands as plain ones."""
    beside = {name: one.beside for name, one in sums.items() if one.beside is not None}
    if len(beside) < len(sums):
        return dict.fromkeys(sums, Adjustment("ratio"))
    found = adjust_means(beside)
    if found is None:
        is_few = min(one.n for one in beside.values()) < 2
        return dict.fromkeys(sums, Adjustment("few" if is_few else "unvaried"))
    alpha, base, told = (1.0 - level) / (len(sums) - 1), found.means[control], {}
    for name, one in found.means.items():
        if name == control:
            told[name] = Adjustment("adjusted", found.weight)
            continue
        low, high = difference_interval(one, base, alpha) or (None, None)
        told[name] = Adjustment("adjusted", found.weight, one.mean - base.mean, low, high)
    return told


def _outcome_of(one: MetricSum) -> Outcome:
    """Read how many did it; what was drawn together says less."""
    sums = one.sums
    if one.n_mature in (0, sums.n):
        return Outcome(one.n_mature, round(sums.sum_y))
    effect = ratio_design_effect(sums.n, sums.sum_m, sums.sum_y, sums.sum_mm, sums.sum_ym, sums.sum_yy)
    return Outcome(one.n_mature, round(sums.sum_y), effect)


def _compare_means(estimates: Mapping[str, Estimate | None], control: str, level: float) -> dict[str, Comparison]:
    """Compare means with the control's."""
    n_comparisons, base = len(estimates) - 1, estimates[control]
    alpha, compared = (1.0 - level) / n_comparisons, {}
    for name, one in estimates.items():
        start = Comparison(CONTROL if name == control else UNCLEAR)
        if one is not None:
            ends = mean_interval(one) or (None, None)
            start = replace(start, rate_ratio=one.mean, rate_low=ends[0], rate_high=ends[1])
        if one is None or base is None or name == control:
            compared[name] = start
            continue
        low, high = difference_interval(one, base, alpha) or (None, None)
        p_value = difference_p_value(one, base)
        any_look = _band_at_any_look(one, base, alpha)
        verdict = BETTER if low is not None and low > 0 else WORSE if high is not None and high < 0 else UNCLEAR
        compared[name] = replace(
            start,
            verdict=verdict,
            lift_ratio=one.mean - base.mean,
            low=low,
            high=high,
            p_value=min(1.0, n_comparisons * p_value) if p_value is not None else None,
            low_any_look=any_look[0],
            high_any_look=any_look[1],
        )
    return compared


def _band_at_any_look(one: Estimate, base: Estimate, alpha: float) -> tuple[float, float] | tuple[None, None]:
    """Say between which ends the difference lies at this look and all others; nothing while nothing varied."""
    error = math.sqrt(one.variance + base.variance)
    if error == 0.0:
        return None, None
    return always_valid_interval(one.mean - base.mean, error, float(one.n + base.n), alpha=alpha)
