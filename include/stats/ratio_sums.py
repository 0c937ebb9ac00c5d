"""What sums say of a mean or of a ratio of two means: how large it is, how sure, and how much more than another.

What belongs here: sums over what was drawn in, estimates and intervals out. What does not: making the sums, intervals
of plain shares (`wilson.py`), and which two are compared.
"""

import math
from dataclasses import dataclass

from scipy.stats import t

from include.errors import BadCounts

# Below this part of the sum of squares a spread is what rounding leaves of nothing.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class RatioSums:
    """Sums over what was drawn by itself: units, or clusters of them.

    Of each draw y is what is measured, and m what it is measured by: 1 for a mean over units, the units of a cluster,
    or the denominator of a ratio.

    Attributes:
        n: how many were drawn.
        sum_y, sum_m: sum y and sum m.
        sum_yy, sum_mm, sum_ym: sums of the products.
    """

    n: int
    sum_y: float
    sum_m: float
    sum_yy: float
    sum_mm: float
    sum_ym: float


@dataclass(frozen=True)
class Estimate:
    """A mean and what is known of it.

    Attributes:
        mean: sum y / sum m, in the unit of y by m.
        variance: of the mean, same unit squared; 0 where nothing varied.
        n: draws that it rests on.
    """

    mean: float
    variance: float
    n: int


def estimate_ratio(sums: RatioSums) -> Estimate:
    """Say how large sum y / sum m is, and how sure that is.

    With R = sum y / sum m, Var(R) = n / (n - 1) (sum y² - 2 R sum y m + R² sum m²) / (sum m)²; where every m is 1 that
    is the sample variance over n.

    Raises:
        BadCounts: nothing was drawn, or sum m is 0: nothing is measured by nothing.

    Source: the delta method; Deng, Knoblich and Lu 2018, "Applying the Delta Method in Metric Analytics", section 2.
    """
    _require_draws(sums)
    return Estimate(sums.sum_y / sums.sum_m, _variance(sums), sums.n)


def difference_interval(variant: Estimate, control: Estimate, alpha: float) -> tuple[float, float] | None:
    """Say between which ends the variant's mean less the control's lies, at one look.

    Args:
        alpha: how often the interval may leave the truth out, 0..1.

    Returns:
        (low, high) in the unit of the means; None where nothing varied, or one draw stands alone.

    Source: Welch 1947, Student's t with Satterthwaite's degrees of freedom.
    """
    degrees = _degrees(variant, control)
    if degrees is None:
        return None
    reach = float(t.isf(alpha / 2, degrees)) * math.sqrt(variant.variance + control.variance)
    difference = variant.mean - control.mean
    return difference - reach, difference + reach


def difference_p_value(variant: Estimate, control: Estimate) -> float | None:
    """Say how often means would lie this far apart by chance, two-sided; None as for the interval."""
    degrees = _degrees(variant, control)
    if degrees is None:
        return None
    distance = abs(variant.mean - control.mean) / math.sqrt(variant.variance + control.variance)
    return float(2 * t.sf(distance, degrees))


def mean_interval(one: Estimate, alpha: float = 0.05) -> tuple[float, float] | None:
    """Say between which ends one mean lies by itself; None where nothing varied or one draw stands alone."""
    if one.n < 2 or one.variance <= 0:
        return None
    reach = float(t.isf(alpha / 2, one.n - 1)) * math.sqrt(one.variance)
    return one.mean - reach, one.mean + reach


def _variance(sums: RatioSums) -> float:
    """Give the variance of the ratio, by the delta method; 0 of a single draw."""
    ratio = sums.sum_y / sums.sum_m
    spread = sums.sum_yy - 2 * ratio * sums.sum_ym + ratio**2 * sums.sum_mm
    if sums.n < 2 or spread <= _ROUNDING * sums.sum_yy:
        return 0.0
    return sums.n / (sums.n - 1) * spread / sums.sum_m**2


def _degrees(variant: Estimate, control: Estimate) -> float | None:
    """Give Satterthwaite's degrees of freedom of a difference; None where it has none."""
    total = variant.variance + control.variance
    if total <= 0 or min(variant.n, control.n) < 2:
        return None
    parts = sum((one.variance / total) ** 2 / (one.n - 1) for one in (variant, control))
    return 1.0 / parts


def _require_draws(sums: RatioSums) -> None:
    """Refuse sums of nothing.

    Raises:
        BadCounts: see `estimate_ratio`.
    """
    if sums.n < 1 or not sums.sum_m > 0:
        raise BadCounts(
            f"{sums.n} draws with a denominator of {sums.sum_m:,.10g} in all have no mean; at least one draw is "
            "needed, and a denominator above 0."
        )
