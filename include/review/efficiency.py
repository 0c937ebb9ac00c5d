"""Whether choosing paid: how many labels chance would have needed to reach what all labels reached.

What belongs here: two learning curves in, a number of labels out. What does not: the curves (learning room).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from include.errors import MulgilError

N_DRAWS = 2_000
NORMAL_95 = 1.959964
NEARLY_ONE = 1.0 - 1e-6  # a perfect ranking of few items is not a perfect ranking


@dataclass(frozen=True)
class LabelsNeeded:
    """Labels that chance needs; None where it needs more than it was ever given, and nobody knows how many."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """Quality by rising number of labels: arrays of shape (n_points,), quality in 0..1 with its 95 % interval."""

    n_labels: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def labels_needed(target: Curve, by_chance: Curve, rng: np.random.Generator) -> LabelsNeeded:
    """Say how many labels chosen by chance alone reach a quality that other labels reached.

    Args:
        target: one point: the quality to reach.
        by_chance: the curve of labels chosen by chance, measured on the same items.
        rng: draws of both inside their intervals. They are drawn apart although the same items measured them, which
            makes the interval wider than it must be, never narrower.

    Returns:
        interpolated between the points, on a scale of factors; the first point where fewer labels may have been enough.

    Raises:
        MulgilError: the curve has no points.

    Source: ours; data utilisation rate, Culver et al. 2006 (reported by Settles 2009), turned into labels.
    """
    if not by_chance.n_labels.size:
        raise MulgilError("0 models were fitted on the control arm alone, so that nothing can be compared with chance.")
    value = _first_reached(float(target.value[0]), by_chance.value, by_chance.n_labels)
    qualities = _draw(target, rng)[:, 0]
    curves = _draw(by_chance, rng)
    drawn = np.array(
        [_first_reached(quality, curve, by_chance.n_labels) for quality, curve in zip(qualities, curves, strict=True)]
    )
    # "higher" and "lower" keep infinity out of an average of two draws.
    low = float(np.quantile(drawn, 0.025, method="lower"))
    high = float(np.quantile(drawn, 0.975, method="higher"))
    return LabelsNeeded(*(figure if np.isfinite(figure) else None for figure in (value, low, high)))


def _first_reached(quality: float, curve: NDArray[np.float64], n_labels: NDArray[np.float64]) -> float:
    """Find where a curve first reaches a quality; a dip after it does not take it back."""
    best = np.maximum.accumulate(curve)
    if best[-1] < quality:
        return float("inf")
    at = int(np.argmax(best >= quality))
    if at == 0:
        return float(n_labels[0])
    share = (quality - best[at - 1]) / (best[at] - best[at - 1])
    return float(n_labels[at - 1] * (n_labels[at] / n_labels[at - 1]) ** share)


def _draw(curve: Curve, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw qualities whose logits are spread as the intervals say; shape (n_draws, n_points)."""
    middle, low, high = (logit(np.clip(part, 1e-6, NEARLY_ONE)) for part in (curve.value, curve.low, curve.high))
    normal = rng.standard_normal((N_DRAWS, middle.size))
    # Each side as wide as its own half of the interval: near 1 there is room below and none above.
    spread = np.where(normal < 0, middle - low, high - middle) / NORMAL_95
    drawn: NDArray[np.float64] = expit(middle + spread * normal)
    return drawn
