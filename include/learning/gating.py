"""The checks a model meets before it may serve.

A check is a number, a bound and a sentence. What does not belong here: writing the verdict down (`registry.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning import metrics

DEFAULT_ECE_BOUND = 0.1  # for problems without a monitor section
GRID_STEPS = 11
# Isotonic steps and sums of trees are exact; this only forgives the last bits of a double.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One question put to a model, and the answer.

    Attributes:
        check_name: what was asked.
        is_pass: whether it may be promoted for all this check knows.
        value: what was seen; None where there was nothing to see.
        bound: what was allowed; None where there was nothing to compare with.
        detail: the check in one sentence, with its numbers.
    """

    check_name: str
    is_pass: bool
    value: float | None
    bound: float | None
    detail: str


def check_earns_more(
    name: str, profit: NDArray[np.float64], baseline: NDArray[np.float64], weights: NDArray[Any], unit: str
) -> Check:
    """Ask whether the model earns more than a baseline, and not by luck: the lower end of the interval is above 0.

    Args:
        name: the baseline's.
        profit: shape (n_rows,), what the model earned on each held-out row.
        baseline: shape (n_rows,), what the baseline earned on the same rows.
        weights: shape (n_resamples, n_rows), paired resamples.
        unit: of the profit.
    """
    mean, low, high = _difference(profit, baseline, weights)
    sentence = (
        f"The model earns {profit.mean():.3f} {unit} a row, {name} {baseline.mean():.3f}: {mean:+.3f} "
        f"(95 % interval {low:+.3f} to {high:+.3f}, {len(profit):,} held-out rows); the lower end must be above 0."
    )
    return Check(f"earns_more_than_{name}", low > 0, low, 0.0, sentence)


def check_not_worse_than_champion(
    profit: NDArray[np.float64], champion: NDArray[np.float64], weights: NDArray[Any], unit: str, champion_version: str
) -> Check:
    """Ask whether the champion is shown to be better; if not, the model that has seen newer rows takes over.

    Args:
        profit: shape (n_rows,), what the model earned on rows that neither has seen.
        champion: shape (n_rows,), what the champion earned on them.
        weights: shape (n_resamples, n_rows), paired resamples.
    """
    mean, low, high = _difference(profit, champion, weights)
    sentence = (
        f"Against the champion {champion_version} the model earns {mean:+.3f} {unit} a row (95 % interval {low:+.3f} "
        f"to {high:+.3f}, {len(profit):,} rows that neither has seen); the upper end must not be below 0."
    )
    return Check("not_worse_than_champion", high >= 0, high, 0.0, sentence)


def check_without_champion(champion_version: str | None) -> Check:
    """Say why there was no comparison with a champion."""
    sentence = (
        "No model serves yet, so there is no champion to compare with."
        if champion_version is None
        else f"There is no row that the champion {champion_version} has not seen, so the newer labels decide."
    )
    return Check("not_worse_than_champion", True, None, None, sentence)


def check_calibrated(
    is_positive: NDArray[np.bool_],
    p: NDArray[np.float64],
    bound: float,
    rng: np.random.Generator,
    champion_excess: float | None = None,
) -> Check:
    """Ask whether the model's probabilities happen.

    The calibration error that perfect probabilities would show by chance on so few rows is taken off first. In an
    unusual season every model is off: one less off than the champion on the same rows is still the better choice.

    Args:
        bound: largest error allowed, 0..1.
        champion_excess: the champion's own error on the same rows, chance taken off; None without one.
    """
    excess = calibration_excess(is_positive, p, rng)
    allowed = max(bound, champion_excess) if champion_excess is not None else bound
    how = f"{bound:.3f}" if allowed == bound else f"{allowed:.3f}, the champion's own on the same rows"
    sentence = (
        f"Calibration error (ECE, 10 bins) is {excess:.3f} above chance on {len(p):,} held-out rows; allowed is {how}."
    )
    return Check("is_calibrated", excess <= allowed, excess, allowed, sentence)


def calibration_excess(is_positive: NDArray[np.bool_], p: NDArray[np.float64], rng: np.random.Generator) -> float:
    """Give the calibration error beyond what perfect probabilities would show by chance; at least 0."""
    seen = float(metrics.ece(is_positive, p, metrics.ones(len(p)))[0])
    return max(seen - metrics.ece_by_chance(p, rng), 0.0)


def check_directions(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]], frame: pd.DataFrame, directions: Mapping[str, int]
) -> Check:
    """Ask whether the probability follows every promised direction, with all else equal.

    Args:
        predict: feature frame to probabilities.
        frame: some held-out rows; each is asked at every step of the grid.
        directions: feature to 1 (never falls) or -1 (never rises).
    """
    worst, worst_name = 0.0, ""
    for name, direction in directions.items():
        step = worst_step(predict, frame, name, direction)
        if step > worst:
            worst, worst_name = step, name
    is_pass = worst <= ROUNDING
    what = ", ".join(f"{name} {'up' if direction > 0 else 'down'}" for name, direction in directions.items())
    found = "held everywhere" if is_pass else f"broken by {worst:.4f} at most, for {worst_name}"
    return Check("keeps_directions", is_pass, worst, ROUNDING, f"Directions ({what}) on {len(frame)} rows: {found}.")


def worst_step(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]], frame: pd.DataFrame, name: str, direction: int
) -> float:
    """Find the largest step of the probability against a direction.

    Returns:
        0..1; 0 when the direction holds on the whole grid of quantiles, or the feature has no value.
    """
    known = frame[name].dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return 0.0
    grid = np.unique(np.quantile(known, np.linspace(0, 1, GRID_STEPS)))
    steps = np.diff([predict(frame.assign(**{name: value})) for value in grid], axis=0) * direction
    return float(max(-steps.min(), 0.0)) if steps.size else 0.0


def reason_of(checks: list[Check]) -> str:
    """Say in one sentence why the model is promoted or not: the first check it failed, or what it earns."""
    failed = [check for check in checks if not check.is_pass]
    if failed:
        return f"{len(failed)} of {len(checks)} checks failed; first {failed[0].check_name}: {failed[0].detail}"
    return f"All {len(checks)} checks passed. {checks[0].detail}"


def _difference(
    profit: NDArray[np.float64], other: NDArray[np.float64], weights: NDArray[Any]
) -> tuple[float, float, float]:
    """Give the mean difference of paired rows and the ends of its 95 % interval."""
    difference = profit - other
    low, high = metrics.interval(metrics.weighted_mean(difference, weights))
    mean = float(difference.mean())
    return mean, mean if low is None else low, mean if high is None else high
