"""What is known of each variant as a curve: where its true rate or mean may lie, and how likely.

What belongs here: sums in, heights out. What does not: drawing (`pictures.py`). Without SciPy: the API server should
not hold it for a picture.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

N_POINTS = 96
_WIDTH = 4.0  # standard deviations to each side
_Z = 1.959963984540054


@dataclass(frozen=True)
class Known:
    """What is known of one variant.

    Attributes:
        mean: of what is known, as a rate 0..1 or in the metric's unit.
        low, high: its 95 % interval.
        n_mature, n_rewarded: of a rate, the sums it rests on; None where the mean of a metric is known.
    """

    mean: float
    low: float
    high: float
    n_mature: int | None = None
    n_rewarded: int | None = None

    @property
    def deviation(self) -> float:
        """Standard deviation of what is known."""
        if self.n_mature is None or self.n_rewarded is None:
            return (self.high - self.low) / (2 * _Z)
        a, b = self._shape
        return math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))

    @property
    def _shape(self) -> tuple[float, float]:
        return 1.0 + (self.n_rewarded or 0), 1.0 + (self.n_mature or 0) - (self.n_rewarded or 0)

    def height(self, x: float) -> float:
        """Give the density at a place: Beta(1 + rewarded, 1 + not rewarded) of rates, normal of means."""
        if self.n_mature is None or self.n_rewarded is None:
            z = (x - self.mean) / self.deviation
            return math.exp(-z * z / 2) / (self.deviation * math.sqrt(2 * math.pi))
        if not 0 <= x <= 1:
            return 0.0
        a, b = self._shape
        scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        return math.exp(scale + _log_power(x, a - 1) + _log_power(1 - x, b - 1))


def _log_power(base: float, exponent: float) -> float:
    """Give the logarithm of a power; of 0 to the power of 0, which is 1, too."""
    if exponent == 0:
        return 0.0
    return exponent * math.log(base) if base > 0 else -math.inf


def read_known(document: object, *, is_rate: bool) -> dict[str, Known]:
    """Read what a decision was taken with; what no version of ours wrote is left out.

    Args:
        document: `posterior` of a row of `core.experiment_decision`, by variant.
        is_rate: whether the share of rewarded units decides, and not the mean of a metric.
    """
    if not isinstance(document, Mapping):
        return {}
    known = {}
    for variant, one in document.items():
        if not isinstance(one, Mapping):
            continue
        numbers = [one.get(name) for name in ("mean_ratio", "low", "high")]
        ends = [float(number) for number in numbers if isinstance(number, int | float) and math.isfinite(number)]
        n, k = one.get("n_mature"), one.get("n_rewarded")
        if len(ends) < len(numbers):
            continue
        mean, low, high = ends
        if not is_rate:  # whose n is of another window than the rewards
            found = Known(mean, low, high)
        elif isinstance(n, int) and isinstance(k, int) and 0 <= k <= n:
            found = Known(mean, low, high, n, k)
        else:
            continue
        if found.deviation > 0:
            known[str(variant)] = found
    return known


def lay_out(known: Sequence[Known]) -> list[float]:
    """Choose the places at which all curves are drawn, the same for each, from the lowest to the highest."""
    if not known:
        return []
    low = min(one.mean - _WIDTH * one.deviation for one in known)
    high = max(one.mean + _WIDTH * one.deviation for one in known)
    if all(one.n_mature is not None for one in known):
        low, high = max(low, 0.0), min(high, 1.0)
    return [low + (high - low) * place / (N_POINTS - 1) for place in range(N_POINTS)]
