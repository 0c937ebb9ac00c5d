"""Fits a model and the baselines it must beat, and asks all of them about rows that none was fitted on.

What belongs here: frames in, a model and held-out probabilities out. What does not: reading rows, storing models, and
the verdict (`gating.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import NotEnoughLabels
from include.learning import models
from include.learning.calibration_of_models import N_FOLDS, calibrate_fitted, fit_calibrated, uncalibrated
from include.learning.features import FeatureSpec, build_features, learn_features
from include.learning.splitting import TimeSplit, assign_folds
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Training

# Columns of training rows beside the problem's own; the underscore keeps them apart.
IS_KNOWN = "_is_known"
IS_POSITIVE = "_is_positive"
IS_RULE = "_is_rule"
IS_RANDOM = "_is_random"
BLOCK = "_block"

# Airflow runs several tasks on one machine; one thread each wastes less than six tasks that fight for two cores.
N_THREADS = 1


@dataclass(frozen=True)
class Fitted:
    """A model, and what it and the baselines said about rows they had not seen.

    Attributes:
        model: takes the feature frame, gives calibrated probabilities.
        spec: how the frame is made.
        heldout: columns _row_key, _partition_key, _block, _is_positive, _is_rule, p_dummy, p_rule, p_uncalibrated and
            p_model.
        n_train: rows fitted on.
        n_calibrate: rows calibrated on.
        heldout_random_only: for labels from people, the same rows asked of a model that only labels chosen by chance
            taught; None else.
        n_random: labels chosen by chance; 0 where people give none.
    """

    model: Any
    spec: FeatureSpec
    heldout: pd.DataFrame
    n_train: int
    n_calibrate: int
    heldout_random_only: pd.DataFrame | None = None
    n_random: int = 0


def fit_by_time(rows: pd.DataFrame, split: TimeSplit, training: Training) -> Fitted:
    """Fit on the earliest partitions, calibrate on the next, ask about the last.

    Args:
        rows: training rows with known labels; columns of the problem and the ones named above.
        split: which partition is for what.

    Raises:
        NotEnoughLabels: a part has rows of one class only.
        BadFeatures: from `features.py`.
    """
    fit_rows, calibrate_rows, heldout = (
        rows[rows[PARTITION_KEY].isin(part)] for part in (split.fit, split.calibrate, split.evaluate)
    )
    for part, name in ((fit_rows, "fit on"), (calibrate_rows, "calibrate on"), (heldout, "measure on")):
        require_both_classes(_flags(part, IS_POSITIVE), name)
    spec = learn_features(fit_rows, training.features)
    with threadpool_limits(N_THREADS):
        encoder = models.make_encoder(training, spec)
        encoded = encoder.fit_transform(build_features(fit_rows, spec))
        classifier = models.make_classifier(training, spec).fit(encoded, _flags(fit_rows, IS_POSITIVE).astype(np.int64))
        encoded = encoder.transform(build_features(calibrate_rows, spec))
        calibrated = calibrate_fitted(classifier, encoded, _flags(calibrate_rows, IS_POSITIVE), training.calibration)
        answers = _ask(encoder, calibrated, spec, fit_rows, heldout)
    model = Pipeline([("encode", encoder), ("classify", calibrated)])
    return Fitted(model, spec, answers, len(fit_rows), len(calibrate_rows))


def fit_by_folds(rows: pd.DataFrame, training: Training) -> Fitted:
    """Fit on all labels, and measure out of fold on the ones chosen by chance.

    Labels chosen by doubt teach, but are never measured on: they are harder than the rows that the model will meet.

    Args:
        rows: labelled rows; columns of the problem and the ones named above.

    Raises:
        NotEnoughLabels: fewer than 5 of one class among the labels chosen by chance.
        BadFeatures: from `features.py`.
    """
    is_random = _flags(rows, IS_RANDOM)
    folds = assign_folds(_flags(rows, IS_POSITIVE), is_random, N_FOLDS, training.seed)
    with threadpool_limits(N_THREADS):
        encoder, calibrated, spec = _fit_all(rows, training)
        heldout = _ask_out_of_fold(rows, folds, training, lambda fold: folds != fold)
        # Without labels chosen by doubt both questions are the same one.
        random_only = (
            heldout
            if is_random.all()
            else _ask_out_of_fold(rows, folds, training, lambda fold: is_random & (folds != fold))
        )
    model = Pipeline([("encode", encoder), ("classify", calibrated)])
    return Fitted(model, spec, heldout, len(rows), len(rows), random_only, int(is_random.sum()))


def require_both_classes(is_positive: NDArray[np.bool_], what_for: str) -> None:
    """Refuse rows that hold one class only.

    Raises:
        NotEnoughLabels: the message says how many rows there are and of which class.
    """
    n_positive = int(is_positive.sum())
    if n_positive in (0, len(is_positive)):
        raise NotEnoughLabels(
            f"{n_positive:,} of {len(is_positive):,} rows to {what_for} are positive; a model needs both classes. "
            "Take more data, or look at label.positive_when."
        )


def _fit_all(rows: pd.DataFrame, training: Training) -> tuple[Any, Any, FeatureSpec]:
    """Fit encoder and calibrated classifier on rows that are too few to be split."""
    spec = learn_features(rows, training.features)
    encoder = models.make_encoder(training, spec)
    encoded = encoder.fit_transform(build_features(rows, spec))
    classifier = models.make_classifier(training, spec)
    is_positive = _flags(rows, IS_POSITIVE)
    return encoder, fit_calibrated(classifier, encoded, is_positive, training.calibration, training.seed), spec


def _ask_out_of_fold(
    rows: pd.DataFrame,
    folds: NDArray[np.int64],
    training: Training,
    is_teaching: Callable[[int], NDArray[np.bool_]],
) -> pd.DataFrame:
    """Ask about each fold a model that was fitted, words and all, without it."""
    parts = []
    for fold in range(N_FOLDS):
        teaching = rows[is_teaching(fold)]
        encoder, calibrated, spec = _fit_all(teaching, training)
        parts.append(_ask(encoder, calibrated, spec, teaching, rows[folds == fold]))
    answers = pd.concat(parts).sort_values(ROW_KEY, ignore_index=True)
    # A fold with few positives leaves more of them to teach: rates of single folds would rank rows backwards.
    return answers.assign(
        p_dummy=answers["p_dummy"].mean(), p_rule=answers.groupby(IS_RULE)["p_rule"].transform("mean")
    )


def _ask(encoder: Any, calibrated: Any, spec: FeatureSpec, teaching: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Let the model and the baselines answer for held-out rows.

    The baselines learn their rates from the labels chosen by chance alone: doubt picks positives more often than they
    happen, and a baseline that believed it would be too easy to beat.
    """
    encoded = encoder.transform(build_features(held, spec))
    by_chance = teaching[_flags(teaching, IS_RANDOM)]
    taught, is_rule = _flags(by_chance, IS_POSITIVE), _flags(by_chance, IS_RULE)
    kept = held[[ROW_KEY, PARTITION_KEY, BLOCK, IS_POSITIVE, IS_RULE]]
    return kept.assign(
        p_dummy=models.base_rate(taught),
        p_rule=models.rule_probability(_flags(held, IS_RULE), models.rule_rates(is_rule, taught)),
        p_uncalibrated=models.positive_probability(uncalibrated(calibrated), encoded),
        p_model=models.positive_probability(calibrated, encoded),
    ).reset_index(drop=True)


def _flags(rows: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Read a yes-or-no column."""
    return rows[column].to_numpy(dtype=np.bool_)
