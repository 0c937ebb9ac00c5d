"""How much more one variant brings than another.

What belongs here: two shares in, their difference with its interval out. What does not: which two are compared.
"""

import math
from dataclasses import dataclass

from include.errors import BadExperiment

Z = 1.959963984540054  # standard normal quantile of 0.975


@dataclass(frozen=True)
class Lift:
    """A difference of two reward rates; the columns of `core.experiment_lift` that are computed.

    Attributes:
        n_variant, n_control: mature units of each side.
        lift_ratio: rate of the variant minus rate of the control, -1..1.
        low, high: 95 % interval.
    """

    n_variant: int
    n_control: int
    lift_ratio: float
    low: float
    high: float


def measure_lift(n_variant: int, rewarded_variant: int, n_control: int, rewarded_control: int) -> Lift:
    """Say how much higher the variant's reward rate is than the control's, with a 95 % interval.

    With l, u the Wilson limits of each share, the interval of d = p1 - p2 is
    d - sqrt((p1 - l1)^2 + (u2 - p2)^2) to d + sqrt((u1 - p1)^2 + (p2 - l2)^2).

    Args:
        n_variant, n_control: units, at least 1 each.
        rewarded_variant, rewarded_control: of these.

    Raises:
        BadExperiment: a side has no unit, or more rewards than units.

    Source: Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
    """
    for n, rewarded in ((n_variant, rewarded_variant), (n_control, rewarded_control)):
        if n < 1 or not 0 <= rewarded <= n:
            raise BadExperiment(
                f"{rewarded} rewards of {n} units are not a share; a lift needs at least one unit on each side, "
                "and at most one reward for each unit."
            )
    p1, p2 = rewarded_variant / n_variant, rewarded_control / n_control
    (l1, u1), (l2, u2) = wilson_interval(rewarded_variant, n_variant), wilson_interval(rewarded_control, n_control)
    low = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    return Lift(n_variant, n_control, p1 - p2, low, high)


def wilson_interval(n_rewarded: int, n_units: int) -> tuple[float, float]:
    """Give the 95 % interval of a share, which stays inside 0..1 and is honest for small counts.

    Args:
        n_rewarded: 0..n_units.
        n_units: at least 1.

    Source: Wilson 1927; Newcombe 1998, "Two-sided confidence intervals for the single proportion", method 3.
    """
    share, spread = n_rewarded / n_units, Z * Z / n_units
    centre = share + spread / 2.0
    half = Z * math.sqrt(share * (1.0 - share) / n_units + spread / (4.0 * n_units))
    return (centre - half) / (1.0 + spread), (centre + half) / (1.0 + spread)
