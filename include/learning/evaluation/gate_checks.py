"""The checks a model meets before it may serve.

A check is a number, a bound and a sentence. What does not belong here: writing the verdict down
(`registry/versions.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.learning.checks import Check
from include.learning.protocols import Flags, Probabilities
from include.problems.sections.learning import Gate, Protected
from include.stats.bootstrap import Resamples, draw_blocks
from include.stats.proportions import holm
from include.stats.reliability import CalibrationError, calibration_error, sum_equal_count

DEFAULT_CALIBRATION_BOUND = 0.1  # for problems without a monitor section
GRID_POINTS = 1_000
CHAMPION_CHECK = "earns_more_than_champion"
# Isotonic steps and sums of trees are exact; this only forgives the last bits of a double.
ROUNDING = 1e-9
GROUPS_LEVEL = 0.05  # over all groups of one column together


@dataclass(frozen=True)
class Gain:
    """What one candidate earns more than another on the same rows, in the unit of the profit and per row.

    Attributes:
        mean: over the rows.
        low: lower end of its 95 % interval; None where nobody can say.
        high: upper end.
        n_rows: rows that both were asked about.
        resamples: of those rows.
        resampled: shape (n_resamples,), the mean under each.
    """

    mean: float
    low: float | None
    high: float | None
    n_rows: int
    resamples: Resamples
    resampled: Probabilities

    def probability_above(self, bound: float) -> float | None:
        """Say how sure one may be that it is above a bound: 0..1; None where nobody can say."""
        return self.resamples.probability_above(self.mean, self.resampled, bound)

    @property
    def interval(self) -> str:
        """Write the interval and where it comes from."""
        if self.low is None or self.high is None:
            return f"no interval, {self.n_rows:,} rows from {self.resamples.method}"
        ends = f"{say_number(self.low)} to {say_number(self.high)}"
        return f"95 % interval {ends}, {self.n_rows:,} rows, {self.resamples.method}"


def compare(profit: Probabilities, other: Probabilities, resamples: Resamples) -> Gain:
    """Compare what two candidates earned on the same rows, whole blocks at a time.

    Args:
        profit: shape (n_rows,), what the one earned.
        other: shape (n_rows,), what the other earned.
        resamples: of the rows.
    """
    difference = np.asarray(profit, dtype=np.float64) - other
    mean, resampled = float(difference.mean()), resamples.mean(difference)
    low, high = resamples.interval(mean, resampled)
    return Gain(mean, low, high, len(difference), resamples, resampled)


def say_number(value: float) -> str:
    """Write a signed number with three digits behind the point; what rounds to nothing has no sign."""
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text


def check_earns_more(
    name: str, profit: Probabilities, baseline: Probabilities, resamples: Resamples, unit: str, *, is_first: bool = True
) -> Check:
    """Ask whether the model earns more than a baseline.

    Where no model serves yet, not by luck: the lower end of the interval is above 0, because the first question is
    whether a model is needed at all. Where one serves, the alternative is not the baseline but the champion, which has
    a check of its own: an unusual month that hides the lead over a rule would keep the worse model.

    Args:
        name: the baseline's.
        profit: shape (n_rows,), what the model earned on each held-out row.
        baseline: shape (n_rows,), what the baseline earned on the same rows.
        resamples: of the rows.
        unit: of the profit.
        is_first: whether no model serves yet.
    """
    gain = compare(profit, baseline, resamples)
    needed = "no model serves yet, so the lower end must be above 0" if is_first else "the mean must be above 0"
    sentence = (
        f"The model earns {profit.mean():.3f} {unit} a row, {name} {baseline.mean():.3f}: {say_number(gain.mean)} "
        f"({gain.interval}); {needed}."
    )
    value = gain.low if is_first else gain.mean
    return Check(f"earns_more_than_{name}", value is not None and value > 0, value, 0.0, sentence)


def check_earns_more_than_champion(
    profit: Probabilities,
    champion: Probabilities,
    resamples: Resamples,
    unit: str,
    champion_version: str,
    surprise: Probabilities,
    rule: Gate,
) -> Check:
    """Ask whether the model surely earns so much more than the champion that changing pays.

    Few rows often lead to the very same actions; where changing costs nothing, less surprise then decides, as surely.

    Args:
        profit: shape (n_rows,), what the model earned on rows that neither was fitted on.
        champion: shape (n_rows,), what the champion earned on them.
        resamples: of the rows.
        surprise: shape (n_rows,), log loss of the champion less that of the model, in nats; above 0 the model is less
            surprised.
        rule: what changing costs, and how sure one must be.
    """
    gain = compare(profit, champion, resamples)
    asked, what = gain, f"earning {rule.switching_cost:g} {unit} a row more, which is what changing costs"
    if rule.switching_cost == 0:
        what = "earning more"
        if (profit == champion).all():
            asked, what = compare(surprise, np.zeros(len(surprise)), resamples), "being less surprised"
    sure = asked.probability_above(rule.switching_cost)
    seen = "Nobody can say how likely it is of" if sure is None else f"One is {100 * sure:.1f} of 100 sure of its"
    sentence = (
        f"Against the champion {champion_version} the model earns {say_number(gain.mean)} {unit} a row "
        f"({gain.interval}), on rows that neither was fitted on. {seen} {what}; {100 * rule.sure_from:g} of 100 are "
        "needed."
    )
    return Check(CHAMPION_CHECK, sure is not None and sure >= rule.sure_from, sure, rule.sure_from, sentence)


def check_without_champion() -> Check:
    """Say that there was no champion to compare with."""
    sentence = "No model serves yet, so there is no champion to compare with."
    return Check(CHAMPION_CHECK, True, None, None, sentence)


def check_calibrated(
    is_positive: Flags, p: Probabilities, bound: float, champion: CalibrationError | None = None, tolerance: float = 0.0
) -> Check:
    """Ask whether the model's probabilities happen.

    What chance adds on few rows is taken off the squared error before its root is taken: taken off the error itself it
    would hide half of an error of 0.1 on 300 rows. Beside a champion the bound is the champion's own error on the same
    rows: in an unusual season every model is off, and the one that is less off is the better choice.

    Args:
        bound: largest error allowed of a first model, 0..1.
        champion: the champion's own error on the same rows; None without one.
        tolerance: how much more than the champion's is allowed, 0..1.
    """
    seen = calibration_error(sum_equal_count(is_positive, p))
    allowed = bound if champion is None else champion.value + tolerance
    how = "" if champion is None else f": the champion's {champion.value:.3f} on the same rows and {tolerance:g}"
    sentence = (
        f"The probabilities are {seen.value:.3f} off on {len(p):,} held-out rows (root mean square over 10 bins of as "
        f"many rows, what chance adds taken off; 95 of 100 sure of at most {seen.high:.3f}); allowed is "
        f"{allowed:.3f}{how}."
    )
    return Check("is_calibrated", seen.value <= allowed, seen.value, allowed, sentence)


def check_directions(
    predict: Callable[[pd.DataFrame], Probabilities], frame: pd.DataFrame, directions: Mapping[str, int]
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
    predict: Callable[[pd.DataFrame], Probabilities], frame: pd.DataFrame, name: str, direction: int
) -> Probabilities:
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
    segments: "pd.Series[str]",
    profit: Probabilities,
    other: Probabilities,
    resamples: Resamples,
    rule: Protected,
    unit: str,
    against: str,
    rng: np.random.Generator,
) -> list[Check]:
    """Ask of every group of a protected column whether it loses by the new model.

    Where the file states a margin, it must be shown of every group that it loses less (non-inferiority). Without one
    that could not be shown of two models that are equal, however many rows there were; then no group may be shown to
    lose. Both at 5 % over all groups together: with twenty of them some look bad by chance.

    Args:
        segments: shape (n_rows,), the group of each row; a row without one belongs to `missing`.
        profit: shape (n_rows,), what the model earned.
        other: shape (n_rows,), what the champion, or without one the best baseline, earned on the same rows.
        resamples: of the rows; each group is drawn anew from its own blocks, which may be fewer.
        rule: the column, its margin, and how many rows decide.
        unit: of the profit.
        against: who `other` is, for the sentence.
        rng: of the draws.

    Returns:
        one check for each group, in the order of their names; a group of too few rows passes, and says so.

    Source: Holm 1979 for the correction; Wellek 2010, Testing statistical hypotheses of equivalence and noninferiority,
        section 2.1.
    """
    named = segments.astype("object").where(segments.notna(), "missing").astype(str).to_numpy()
    gain_of = {}
    for segment in sorted(set(named)):
        is_own = named == segment
        gain_of[segment] = compare(profit[is_own], other[is_own], draw_blocks(resamples.block[is_own], rng))
    deciding = [segment for segment, gain in gain_of.items() if gain.n_rows >= rule.minimum_rows]
    sure = [gain_of[segment].probability_above(-rule.tolerance) for segment in deciding]
    # Where nobody can say, it is shown neither that the group loses nor that it does not.
    p_loses = holm(np.array([1.0 if one is None else one for one in sure]))
    p_keeps = holm(np.array([1.0 if one is None else 1 - one for one in sure]))
    p_values = p_keeps if rule.tolerance > 0 else p_loses
    found = dict(zip(deciding, map(float, p_values), strict=True))
    return [_check_segment(segment, gain, found.get(segment), rule, unit, against) for segment, gain in gain_of.items()]


def _check_segment(segment: str, gain: Gain, p_value: float | None, rule: Protected, unit: str, against: str) -> Check:
    """Say of one group whether it may lose by the new model.

    Args:
        p_value: corrected, that it loses no less than the margin, or without one that it loses nothing; None where it
            decides nothing.
    """
    if p_value is None:
        is_pass, end = True, f"fewer than {rule.minimum_rows} rows, so it decides nothing"
    elif rule.tolerance > 0:
        is_pass = p_value <= GROUPS_LEVEL
        end = f"it must be shown to lose less than {rule.tolerance:g} (p = {p_value:.3f}, {GROUPS_LEVEL:g} is allowed"
        end += " over all groups)"
    else:
        is_pass = p_value > GROUPS_LEVEL
        end = f"it must not be shown to lose (p = {p_value:.3f}, above {GROUPS_LEVEL:g} is allowed over all groups)"
    sentence = (
        f"{rule.column} {segment}: {say_number(gain.mean)} {unit} a row against {against} ({gain.interval}); {end}."
    )
    return Check(f"protects_{rule.column}_{segment}", is_pass, gain.mean, 0.0 - rule.tolerance, sentence)


def reason_of(checks: list[Check]) -> str:
    """Say in one sentence why the model is promoted or not: the first check it failed, or what it earns."""
    failed = [check for check in checks if not check.is_pass]
    if failed:
        return f"{len(failed)} of {len(checks)} checks failed; first {failed[0].check_name}: {failed[0].detail}"
    return f"All {len(checks)} checks passed. {checks[0].detail}"
