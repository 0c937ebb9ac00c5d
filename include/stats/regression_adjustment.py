"""Means freed of what was known of each unit before anything was sent: the same lift, with less noise (CUPED).

What belongs here: sums of y and x over units in, adjusted means out. What does not: making the sums, and intervals of
differences (`ratio_sums.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.stats.ratio_sums import Estimate, RatioSums

# Below this part of the sum of squares a spread is what rounding leaves of nothing.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Adjusted:
    """What is left of the means.

    Attributes:
        weight: how much y goes with x inside of the groups, in units of y by those of x.
        means: of each group, as if all had the same mean x.
    """

    weight: float
    means: Mapping[str, Estimate]


def adjust_means(sums: Mapping[str, RatioSums]) -> Adjusted | None:
    """Take out of each group's mean y what its mean x explains, for groups that chance has made.

    With w = sum of Cov(x, y) / sum of Var(x) inside of the groups, the adjusted mean is mean y - w (mean x - mean x of
    all), and its variance that of y - w x. x must have been known before the groups were made, or it takes away a part
    of what was done to them.

    Args:
        sums: per group, of y and of x as m, over units.

    Returns:
        None where x varies inside of no group, or a group has fewer than two units: then there is nothing to take out.

    Source: Deng, Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
        Pre-Experiment Data", section 3; with one weight for all groups it is the analysis of covariance.
    """
    if not sums or min(one.n for one in sums.values()) < 2:
        return None
    spread = {name: _spread(one.sum_m, one.sum_m, one.sum_mm, one.n) for name, one in sums.items()}
    if sum(spread.values()) <= _ROUNDING * sum(one.sum_mm for one in sums.values()):
        return None
    shared = {name: _spread(one.sum_m, one.sum_y, one.sum_ym, one.n) for name, one in sums.items()}
    weight = sum(shared.values()) / sum(spread.values())
    overall = sum(one.sum_m for one in sums.values()) / sum(one.n for one in sums.values())
    means = {}
    for name, one in sums.items():
        left = _spread(one.sum_y, one.sum_y, one.sum_yy, one.n) - 2 * weight * shared[name] + weight**2 * spread[name]
        left = left if left > _ROUNDING * one.sum_yy else 0.0
        mean = one.sum_y / one.n - weight * (one.sum_m / one.n - overall)
        means[name] = Estimate(mean, left / (one.n * (one.n - 1)), one.n)
    return Adjusted(weight, means)


def _spread(sum_a: float, sum_b: float, sum_ab: float, n: int) -> float:
    """Give the sum of products about the means."""
    return sum_ab - sum_a * sum_b / n
