"""Whether choosing paid: what it gained over as many labels of chance, and how many labels chance would have needed.

What belongs here: two learning curves in, a number out. What does not: the curves (learning room).
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


@dataclass(frozen=True)
class Gained:
    """What choosing added to the quality of as many labels, -1..1, with its 95 % interval; above 0 it paid."""

    n_labels: int
    value: float
    low: float
    high: float


def quality_gained(of_all: Curve, by_chance: Curve, rng: np.random.Generator) -> Gained | None:
    """Compare labels of all arms with as many of the control arm: with as many as chance has, or all arms together.

    Args:
        of_all: the curve of all labels, by rising number; one point or more.
        by_chance: the curve of labels chosen by chance, measured on the same items, likewise.
        rng: draws of both inside their intervals, each by itself, which makes the interval wider than it must be.

    Returns:
        interpolated between the points, on a scale of factors; None where either has no point, or the curves meet at no
        number of labels.

    Source: ours; the difference of learning curves at one size, Settles 2009, section 6.
    """
    if not of_all.n_labels.size or not by_chance.n_labels.size:
        return None
    n_labels = min(of_all.n_labels[-1], by_chance.n_labels[-1])
    if n_labels < max(of_all.n_labels[0], by_chance.n_labels[0]):
        return None
    value = _quality_at(n_labels, of_all.value, of_all.n_labels) - _quality_at(
        n_labels, by_chance.value, by_chance.n_labels
    )
    pairs = zip(_draw(of_all, rng), _draw(by_chance, rng), strict=True)
    drawn = [
        _quality_at(n_labels, one, of_all.n_labels) - _quality_at(n_labels, other, by_chance.n_labels)
        for one, other in pairs
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Gained(int(n_labels), value, float(low), float(high))


def _quality_at(n_labels: float, quality: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Read a curve off at a number of labels between its first and its last."""
    return float(np.interp(np.log(n_labels), np.log(counts), quality))


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
