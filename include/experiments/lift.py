"""How much more one variant brings than another.

What belongs here: two shares in, their difference with its interval out. What does not: which two are compared.
"""

import math
from dataclasses import dataclass

from include.errors import BadExperiment
from include.stats.wilson import Z_95, wilson_interval


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


def measure_lift(
    n_variant: int,
    rewarded_variant: int,
    n_control: int,
    rewarded_control: int,
    design_effects: tuple[float, float] = (1.0, 1.0),
) -> Lift:
    """Say how much higher the variant's reward rate is than the control's, with a 95 % interval.

    Args:
        n_variant, n_control: units, at least 1 each.
        rewarded_variant, rewarded_control: of these.
        design_effects: of each side, from 1 on: as many units drawn together say as much as one drawn alone.

    Raises:
        BadExperiment: a side has no unit, or more rewards than units.

    Source: see `newcombe_interval`.
    """
    for n, rewarded in ((n_variant, rewarded_variant), (n_control, rewarded_control)):
        if n < 1 or not 0 <= rewarded <= n:
            raise BadExperiment(
                f"{rewarded} rewards of {n} units are not a share; a lift needs at least one unit on each side, "
                "and at most one reward for each unit."
            )
    p1, p2 = rewarded_variant / n_variant, rewarded_control / n_control
    return Lift(
        n_variant,
        n_control,
        p1 - p2,
        *newcombe_interval(p1, n_variant / design_effects[0], p2, n_control / design_effects[1]),
    )


def newcombe_interval(p1: float, n1: float, p2: float, n2: float, z: float = Z_95) -> tuple[float, float]:
    """Say between which ends the difference of two shares lies.

    With l, u the Wilson limits of each share, the interval of d = p1 - p2 is
    d - sqrt((p1 - l1)^2 + (u2 - p2)^2) to d + sqrt((u1 - p1)^2 + (p2 - l2)^2).

    Args:
        p1, p2: shares, 0..1.
        n1, n2: units that they are of, above 0; effective units need not be whole.
        z: normal quantile of the confidence; 1.96 is 95 %.

    Returns:
        (low, high), -1..1.

    Source: Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
    """
    (l1, u1), (l2, u2) = wilson_interval(p1 * n1, n1, z), wilson_interval(p2 * n2, n2, z)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)
