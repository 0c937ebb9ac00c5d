"""Fits the candidates of a quantity, chooses the one that costs least, and asks about rows that none was fitted on.

What belongs here: frames in, a model and held-out answers out. What does not: reading rows, storing models, and the
verdict (`gate.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.calibration.selection import fold_blocks
from include.learning.data.columns import BLOCK, LABELS, P_OF
from include.learning.data.dataset import EVENT_AT
from include.learning.data.features import FeatureSpec, build_features, learn_features
from include.learning.data.leakage_checks import single_feature_auc
from include.learning.data.near_duplicates import group_rows
from include.learning.data.splits import TimeSplit, settle_straddlers
from include.learning.protocols import Flags, Probabilities
from include.learning.quantity.conformal import offsets_of, rows_needed
from include.learning.quantity.following import follow_partitions
from include.learning.quantity.forecasts import make_forecast
from include.learning.quantity.heldout import (
    DUMMY_COLUMN,
    MODEL_COLUMN,
    NAIVE_COLUMN,
    UNMOVED_COLUMN,
    answer_frame,
)
from include.learning.quantity.levels import Answers, Costs, Levels
from include.learning.quantity.models import Forecast, QuantityModel
from include.learning.quantity.numbers import require_spread
from include.learning.quantity.seasons import ConstantForecast, SeasonalNaive, add_calendar
from include.learning.several.class_candidates import simplest_of_the_best
from include.learning.training.candidates import contestants, train_on_what_teaches
from include.learning.training.fit import N_THREADS
from include.names import PARTITION_KEY
from include.problems.sections.learning import ModelName, Training

LEAST_TAUGHT = 30  # rows to fit on: a forecast by fewer says nothing about its spread


@dataclass(frozen=True)
class QuantityChoice:
    """One candidate, and what planning with it cost on rows that neither it nor its offsets were fitted on.

    Attributes:
        candidate: name of the model.
        cost: mean over the rows, in the unit of value, at least 0.
        n_rows: rows it was measured on.
        is_chosen: whether this one serves.
    """

    candidate: str
    cost: float
    n_rows: int
    is_chosen: bool


@dataclass(frozen=True)
class QuantityFitted:
    """A model of a quantity, and what it and the baselines said about rows they had not seen.

    Attributes:
        model: serves; fitted through the newest rows but those that its offsets were learned on.
        spec: how the frame is made.
        model_name: the candidate that was chosen.
        heldout: from `heldout.answer_frame`, of the model that had seen neither these rows nor later ones.
        n_train: rows that the model that serves was fitted on.
        n_calibrate: rows that its offsets were learned on.
        n_left_out: rows left out because they belong with rows on another side of the split.
        choices: every candidate; the chosen one is marked.
        feature_auc: how well each feature tells high numbers from low ones (`is_high`) all by itself.
        said: sentences about features that gave nothing to learn from.
    """

    model: QuantityModel
    spec: FeatureSpec
    model_name: ModelName
    heldout: pd.DataFrame
    n_train: int
    n_calibrate: int
    n_left_out: int
    choices: list[QuantityChoice]
    feature_auc: Mapping[str, float]
    said: list[str]


@dataclass(frozen=True)
class Later:
    """Rows after those that were fitted on; the last of them are asked about, as each partition would have been.

    Attributes:
        rows: of the partitions that calibrate, and those that are measured on.
        is_held: shape (n_rows,), which are measured on.
        levels: which numbers are said.
        lag: how long after its event a label is known.
    """

    rows: pd.DataFrame
    is_held: Flags
    levels: Levels
    lag: timedelta

    def answer(self, forecast: Forecast, spec: FeatureSpec) -> Answers:
        """Ask a forecast about the rows that are measured on, moved by what was known before their partition."""
        own = _read(self.rows, spec)
        said = forecast.predict(own.frame)
        partitions = self.rows[PARTITION_KEY].to_numpy(dtype=object)
        moments = self.rows[EVENT_AT].reset_index(drop=True)
        offsets = follow_partitions(self.levels, said, own.actual, moments, partitions, self.is_held, self.lag)
        return Answers.from_table(said[self.is_held] + offsets)


@dataclass(frozen=True)
class Rows:
    """Rows of one part of a split, as forecasts read them: features with the calendar, and what came."""

    frame: pd.DataFrame
    actual: Probabilities


def fit_quantity(
    rows: pd.DataFrame,
    split: TimeSplit,
    training: Training,
    levels: Levels,
    costs: Costs,
    lag: timedelta = timedelta(0),
) -> QuantityFitted:
    """Fit on the earliest partitions, choose and make intervals hold on the next, ask about the last; then move on.

    What serves is the chosen candidate fitted once more: on all but as many of the newest partitions as make its
    interval hold, because intervals follow a world that moves only as far as the newest rows show it.

    Args:
        rows: with numbers that are known, and the time of each event.
        split: which partition is for what.
        training: settings of the problem file.
        levels: which numbers are said.
        costs: of a miss.
        lag: how long after its event a label is known.

    Raises:
        NotEnoughLabels: a part has too few rows, or one number only.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    part = np.select([rows[PARTITION_KEY].isin(own) for own in (split.fit, split.calibrate)], [0, 1], 2)
    groups = group_rows(rows, [], training.group, training.seed)
    stays = settle_straddlers(part, groups, training.seed)
    is_fit, is_calibrate, is_held = (stays & (part == number) for number in range(3))
    needed = rows_needed(levels)
    actual = rows[LABELS].to_numpy(dtype=np.float64)
    require_spread(actual[is_fit], "fit on", LEAST_TAUGHT)
    require_spread(actual[is_calibrate], f"make {levels.interval:.0%} intervals hold", needed)
    require_spread(actual[is_held], "measure on", 2)
    training, idle = train_on_what_teaches(rows[is_fit], training)
    names = contestants(training, int(is_fit.sum()))
    with threadpool_limits(N_THREADS):
        spec = learn_features(rows[is_fit], training.features)
        fit, calibrate, held = (_read(rows[is_own], spec) for is_own in (is_fit, is_calibrate, is_held))
        forecasts = {name: fit_forecast(name, spec, fit, levels, training.seed) for name in names}
        blocks = rows[BLOCK].to_numpy(dtype=np.int64)[is_calibrate]
        choices = _choose(forecasts, calibrate, blocks, levels, costs, training.seed)
        chosen = next(name for name, choice in zip(names, choices, strict=True) if choice.is_chosen)
        naive = SeasonalNaive(levels.quantiles).fit(fit.frame, fit.actual)
        dummy = ConstantForecast(levels.quantiles).fit(fit.frame, fit.actual)
        answers = {
            DUMMY_COLUMN: Answers.from_table(dummy.predict(held.frame)),
            NAIVE_COLUMN: Answers.from_table(naive.predict(held.frame)),
            UNMOVED_COLUMN: Answers.from_table(forecasts[chosen].predict(held.frame)),
        }
        later = Later(rows[is_calibrate | is_held], is_held[is_calibrate | is_held], levels, lag)
        for name, forecast in forecasts.items():
            answers[MODEL_COLUMN if name == chosen else f"{P_OF}{name}"] = later.answer(forecast, spec)
        segments = [segment.column for segment in training.protected]
        heldout = answer_frame(rows[is_held], held.actual, answers, segments)
        feature_auc = single_feature_auc(rows[is_fit], training.features, is_high(fit.actual))
        model = QuantityModel(forecasts[chosen], _offsets(forecasts[chosen], calibrate, levels), naive, split.fit[-1])
        measured = model, spec, len(fit.actual), len(calibrate.actual)
        moved = None if training.refit == "none" else _move_on(rows, groups, split, training, chosen, levels)
        if moved is None and training.refit == "all":
            idle = [*idle, f"What was measured serves: no later fit leaves {needed} newest rows for its intervals."]
        model, spec, n_train, n_calibrate = moved or measured
    return QuantityFitted(
        model, spec, chosen, heldout, n_train, n_calibrate, int((~stays).sum()), choices, feature_auc, idle
    )


def fit_forecast(name: ModelName, spec: FeatureSpec, rows: Rows, levels: Levels, seed: int) -> Forecast:
    """Fit one candidate."""
    return make_forecast(name, spec, rows.frame, levels.quantiles, seed).fit(rows.frame, rows.actual)


def _read(rows: pd.DataFrame, spec: FeatureSpec) -> Rows:
    """Read rows as forecasts see them."""
    frame = add_calendar(build_features(rows, spec), rows[EVENT_AT])
    return Rows(frame, rows[LABELS].to_numpy(dtype=np.float64))


def _offsets(forecast: Forecast, rows: Rows, levels: Levels) -> Probabilities:
    """Learn by how much a forecast is off on rows it was not fitted on: shape (4,)."""
    return offsets_of(levels, forecast.predict(rows.frame), rows.actual)


def _choose(
    forecasts: Mapping[ModelName, Forecast],
    rows: Rows,
    blocks: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    levels: Levels,
    costs: Costs,
    seed: int,
) -> list[QuantityChoice]:
    """Choose the simplest candidate that costs as little as the best, each moved by offsets of other days."""
    folds = fold_blocks(blocks, seed)
    losses = []
    for forecast in forecasts.values():
        said = forecast.predict(rows.frame)
        planned = said[:, 3].copy()
        for fold in np.unique(folds):
            is_held = folds == fold
            is_taught = ~is_held if (~is_held).any() else is_held
            planned[is_held] += np.quantile((rows.actual - said[:, 3])[is_taught], levels.action)
        losses.append(-costs.profit(planned, rows.actual))
    chosen = simplest_of_the_best(losses)
    return [
        QuantityChoice(name, float(loss.mean()), len(loss), is_chosen=place == chosen)
        for place, (name, loss) in enumerate(zip(forecasts, losses, strict=True))
    ]


def _move_on(
    rows: pd.DataFrame,
    groups: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    split: TimeSplit,
    training: Training,
    chosen: ModelName,
    levels: Levels,
) -> tuple[QuantityModel, FeatureSpec, int, int] | None:
    """Fit the chosen candidate for serving, the held-out rows among those that its interval is made to hold on.

    Returns:
        None where too few rows stay on one of both sides.
    """
    sides = _sides(rows[PARTITION_KEY], groups, split, training.seed, rows_needed(levels))
    if sides is None:
        return None
    is_taught, is_newer = sides
    spec = learn_features(rows[is_taught], training.features)
    taught, newer = _read(rows[is_taught], spec), _read(rows[is_newer], spec)
    forecast = fit_forecast(chosen, spec, taught, levels, training.seed)
    naive = SeasonalNaive(levels.quantiles).fit(taught.frame, taught.actual)
    through = max(rows[PARTITION_KEY][is_taught])
    model = QuantityModel(forecast, _offsets(forecast, newer, levels), naive, through)
    return model, spec, len(taught.actual), len(newer.actual)


def _sides(
    partitions: "pd.Series[str]",
    groups: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    split: TimeSplit,
    seed: int,
    needed: int,
) -> tuple[Flags, Flags] | None:
    """Say which rows teach and which make intervals hold: more of the newest partitions until these are enough.

    Args:
        partitions: shape (n_rows,), of each row.
        groups: shape (n_rows,), none is on both sides.
        needed: rows that an interval needs.
    """
    later = [*split.calibrate, *split.evaluate]
    for n_partitions in range(len(newest_partitions(split)), len(later) + 1):
        part = np.asarray(partitions.isin(later[-n_partitions:]), dtype=np.int64)
        stays = settle_straddlers(part, groups, seed)
        is_taught, is_newer = np.asarray(stays & (part == 0)), np.asarray(stays & (part == 1))
        if is_taught.sum() >= LEAST_TAUGHT and is_newer.sum() >= needed:
            return is_taught, is_newer
    return None


def is_high(actual: Probabilities) -> Flags:
    """Say which numbers are high: above the median, or at it where none is above, as where most are at a capacity."""
    median = np.median(actual)
    above = actual > median
    return np.asarray(above if above.any() else actual >= median, dtype=np.bool_)


def newest_partitions(split: TimeSplit) -> Sequence[str]:
    """Name the partitions that the interval of the serving model is made to hold on: as many as calibrate, the newest.

    They are at least as many as are measured on, so that each has been asked about by a model that had not seen it.
    """
    later = [*split.calibrate, *split.evaluate]
    return later[-max(len(split.calibrate), 1) :]
