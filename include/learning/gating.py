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
from include.problems.sections.learning import Protected

DEFAULT_ECE_BOUND = 0.1  # for problems without a monitor section
GRID_POINTS = 1_000
CHAMPION_CHECK = "earns_more_than_champion"
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
    name: str,
    profit: NDArray[np.float64],
    baseline: NDArray[np.float64],
    weights: NDArray[Any],
    unit: str,
    *,
    is_first: bool = True,
) -> Check:
    """Ask whether the model earns more than a baseline.

    Where no model serves yet, not by luck: the lower end of the interval is above 0, because the first question is
    whether a model is needed at all. Where one serves, the alternative is not the baseline but the champion, which has
    a check of its own: an unusual month that hides the lead over a rule would keep the worse model.

    Args:
        name: the baseline's.
        profit: shape (n_rows,), what the model earned on each held-out row.
        baseline: shape (n_rows,), what the baseline earned on the same rows.
        weights: shape (n_resamples, n_rows), paired resamples.
        unit: of the profit.
        is_first: whether no model serves yet.
    """
    mean, low, high = _difference(profit, baseline, weights)
    needed = "no model serves yet, so the lower end must be above 0" if is_first else "the mean must be above 0"
    sentence = (
        f"The model earns {profit.mean():.3f} {unit} a row, {name} {baseline.mean():.3f}: {mean:+.3f} "
        f"(95 % interval {low:+.3f} to {high:+.3f}, {len(profit):,} held-out rows); {needed}."
    )
    value = low if is_first else mean
    return Check(f"earns_more_than_{name}", value > 0, value, 0.0, sentence)


def check_earns_more_than_champion(
    profit: NDArray[np.float64],
    champion: NDArray[np.float64],
    weights: NDArray[Any],
    unit: str,
    champion_version: str,
    surprise: float,
) -> Check:
    """Ask whether the model earns more than the champion on the same rows; where both earn the same, surprise decides.

    Args:
        profit: shape (n_rows,), what the model earned on rows that neither was fitted on.
        champion: shape (n_rows,), what the champion earned on them.
        weights: shape (n_resamples, n_rows), paired resamples.
        surprise: log loss of the model less that of the champion on the same rows, in nats; below 0 is better. Few
            rows often lead to the very same actions.
    """
    mean, low, high = _difference(profit, champion, weights)
    sentence = (
        f"Against the champion {champion_version} the model earns {mean:+.3f} {unit} a row (95 % interval {low:+.3f} "
        f"to {high:+.3f}, {len(profit):,} rows that neither was fitted on); the mean must be above 0"
        f"{f', or the same with less log loss ({surprise:+.4f} nats)' if mean == 0 else ''}."
    )
    return Check(CHAMPION_CHECK, mean > 0 or (mean == 0 and surprise < 0), mean, 0.0, sentence)


def check_without_champion() -> Check:
    """Say that there was no champion to compare with."""
    sentence = "No model serves yet, so there is no champion to compare with."
    return Check(CHAMPION_CHECK, True, None, None, sentence)


def check_calibrated(
    is_positive: NDArray[np.bool_],
    p: NDArray[np.float64],
    bound: float,
    rng: np.random.Generator,
    champion_excess: float | None = None,
    tolerance: float = 0.0,
) -> Check:
    """Ask whether the model's probabilities happen.

    The calibration error that perfect probabilities would show by chance on so few rows is taken off first. Beside a
    champion the bound is the champion's own error on the same rows: in an unusual season every model is off, and the
    one that is less off is the better choice.

    Args:
        bound: largest error allowed of a first model, 0..1.
        champion_excess: the champion's own error on the same rows, chance taken off; None without one.
        tolerance: how much more than the champion's is allowed, 0..1.
    """
    excess = calibration_excess(is_positive, p, rng)
    allowed = bound if champion_excess is None else champion_excess + tolerance
    how = "" if champion_excess is None else f": the champion's {champion_excess:.3f} on the same rows and {tolerance}"
    sentence = (
        f"Calibration error (ECE, 10 bins) is {excess:.3f} above chance on {len(p):,} held-out rows; "
        f"allowed is {allowed:.3f}{how}."
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
    against = {name: steps_against(predict, frame, name, direction) for name, direction in directions.items()}
    n_against = sum(len(sizes) for sizes in against.values())
    sizes = {name: float(own.max(initial=0.0)) for name, own in against.items()}
    worst = max(sizes, key=lambda name: sizes[name])
    what = ", ".join(f"{name} {'up' if direction > 0 else 'down'}" for name, direction in directions.items())
    end = f", by {sizes[worst]:.4f} at most, for {worst}" if n_against else ""
    return Check(
        "keeps_directions",
        n_against == 0,
        sizes[worst],
        ROUNDING,
        f"Directions ({what}) on {len(frame)} rows and a grid of {GRID_POINTS:,} points for each feature: "
        f"{n_against:,} of {len(directions) * len(frame) * (GRID_POINTS - 1):,} steps go against them{end}.",
    )


def steps_against(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]], frame: pd.DataFrame, name: str, direction: int
) -> NDArray[np.float64]:
    """Find the steps of the probability that go against a direction.

    Returns:
        how far each goes, 0..1, what rounding does left out; none when the direction holds on the whole grid of equal
        steps between the smallest and the largest value, or the feature has no value.
    """
    known = frame[name].dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return np.empty(0)
    grid = np.linspace(known.min(), known.max(), GRID_POINTS)
    asked = frame.loc[frame.index.repeat(GRID_POINTS)].assign(**{name: np.tile(grid, len(frame))})
    steps = np.diff(predict(asked).reshape(len(frame), GRID_POINTS), axis=1) * direction
    return np.asarray(-steps[steps < -ROUNDING], dtype=np.float64)


def check_leaks(feature_auc: Mapping[str, float], bound: float) -> Check:
    """Ask whether a single feature gives the label away: one that ranks nearly all rows right was known too late.

    Args:
        feature_auc: feature to its AUC, 0.5..1, on the rows fitted on.
        bound: from which AUC on a feature is suspicious.
    """
    if not feature_auc:
        return Check("no_feature_gives_the_label_away", True, None, bound, "There are no single features beside text.")
    worst = max(feature_auc, key=lambda name: feature_auc[name])
    sentence = (
        f"Of {len(feature_auc)} features {worst} ranks best all by itself: AUC {feature_auc[worst]:.3f}, below {bound} "
        "is allowed. One that arrives after the label is declared `known: later` in source.columns."
    )
    return Check("no_feature_gives_the_label_away", feature_auc[worst] < bound, feature_auc[worst], bound, sentence)


def check_segments(
    segments: "pd.Series[Any]",
    profit: NDArray[np.float64],
    other: NDArray[np.float64],
    weights: NDArray[Any],
    rule: Protected,
    unit: str,
    against: str,
) -> list[Check]:
    """Ask of every group of a protected column whether it loses by the new model.

    Args:
        segments: shape (n_rows,), the group of each row; a row without one belongs to `missing`.
        profit: shape (n_rows,), what the model earned.
        other: shape (n_rows,), what the champion, or without one the best baseline, earned on the same rows.
        weights: shape (n_resamples, n_rows), paired resamples.
        rule: the column, its tolerance, and how many rows decide.
        against: who `other` is, for the sentence.

    Returns:
        one check for each group, in the order of their names; a group of too few rows passes, and says so.
    """
    named = segments.astype("object").where(segments.notna(), "missing").astype(str).to_numpy()
    checks = []
    for segment in sorted(set(named)):
        is_own = named == segment
        mean, low, high = _difference(profit[is_own], other[is_own], weights[:, is_own])
        n_rows, is_small = int(is_own.sum()), int(is_own.sum()) < rule.minimum_rows
        end = f"fewer than {rule.minimum_rows}, so it decides nothing" if is_small else f"{-rule.tolerance} is allowed"
        sentence = (
            f"{rule.column} {segment}: {mean:+.3f} {unit} a row against {against} (95 % interval {low:+.3f} to "
            f"{high:+.3f}, {n_rows:,} rows); {end}."
        )
        is_pass = is_small or mean >= -rule.tolerance
        checks.append(Check(f"protects_{rule.column}_{segment}", is_pass, mean, -rule.tolerance, sentence))
    return checks


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
    # A small group may have no row in a resample, which then says nothing about it.
    drawn = weights[weights.sum(axis=1) > 0]
    low, high = metrics.interval(metrics.weighted_mean(difference, drawn)) if len(drawn) else (None, None)
    mean = float(difference.mean())
    return mean, mean if low is None else low, mean if high is None else high
