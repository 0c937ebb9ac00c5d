"""Fits the candidates of a problem, each on the same rows, and lets them score rows they have not seen.

What belongs here: fitting, scoring out of fold, and the search for settings. What does not: which rows are for what
(`training/fit.py`), and what a candidate is made of (`training/estimators.py`).
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from include.errors import NotEnoughLabels
from include.learning import metrics
from include.learning.data.columns import IS_POSITIVE
from include.learning.data.features import FeatureSpec, build_features, learn_features
from include.learning.data.leakage_checks import teaching_features
from include.learning.data.splits import teaches
from include.learning.errors import BadFeatures, NothingToRead
from include.learning.protocols import Classifier, Encoded, Encoder, Flags, Numbers, Probabilities
from include.learning.training import estimators
from include.learning.training.directions import Matrix, hold_weights, signs_of
from include.problems.sections.learning import ModelName, Search, Training

log = logging.getLogger(__name__)


# Tried without a search, the defaults first; `C` is the inverse of how strongly weights are held.
FEW_SETTINGS: Mapping[ModelName, Sequence[estimators.Settings]] = {"text_pieces": ({}, {"C": 10.0}, {"C": 100.0})}


@dataclass(frozen=True)
class Encoding:
    """Training rows as one candidate reads them.

    Attributes:
        name: of the candidate.
        spec: what it reads.
        encoder: fitted on these rows; never saw a label.
        encoded: the rows, a frame or a matrix.
        is_positive: shape (n_rows,).
        missing_parts: of the text, that had no terms in these rows.
    """

    name: ModelName
    spec: FeatureSpec
    encoder: Encoder
    encoded: Encoded
    is_positive: Flags
    missing_parts: tuple[str, ...] = ()

    def rows_where(self, is_taken: Flags) -> Encoded:
        """Take some of the encoded rows."""
        return self.encoded[is_taken if isinstance(self.encoded, pd.DataFrame) else np.flatnonzero(is_taken)]


@dataclass(frozen=True)
class Scorer:
    """One fitted candidate, not calibrated yet.

    Attributes:
        name: of the candidate.
        spec: what it reads.
        encoder: feature frame to what the classifier reads; never saw a label.
        classifier: fitted on classes 0 and 1.
        settings: what a search found; empty where the defaults were kept.
    """

    name: ModelName
    spec: FeatureSpec
    encoder: Encoder
    classifier: Classifier
    settings: estimators.Settings

    def encode(self, rows: pd.DataFrame) -> Encoded:
        """Turn rows into what the classifier reads."""
        return self.encoder.transform(build_features(rows, self.spec))

    def score(self, rows: pd.DataFrame) -> Probabilities:
        """Score rows as the fit left it: shape (n_rows,), 0..1."""
        return estimators.positive_probability(self.classifier, self.encode(rows))


def contestants(training: Training, n_rows: int) -> list[ModelName]:
    """Name the problem's candidates that can be fitted on so many rows, simplest first.

    Raises:
        NotEnoughLabels: none can; a Gaussian process alone, and more rows than it can take.
    """
    simplest_first = sorted(training.candidates, key=estimators.complexity)
    found = [name for name in simplest_first if estimators.is_for(name, n_rows)]
    for name in simplest_first:
        if name not in found:
            log.info("%s is left out: %s rows, and it takes at most %s.", name, n_rows, estimators.MAX_PROCESS_ROWS)
    if not found:
        raise NotEnoughLabels(
            f"training.models: none of {list(training.candidates)} can be fitted on {n_rows:,} rows; a Gaussian "
            f"process takes at most {estimators.MAX_PROCESS_ROWS:,}. Add a scorecard or gradient_boosting to the list."
        )
    return found


def train_on_what_teaches(rows: pd.DataFrame, training: Training) -> tuple[Training, list[str]]:
    """Leave out features that teach nothing in these rows, and candidates that would have nothing to read without them.

    Raises:
        BadFeatures: nothing is left.
    """
    features, said = teaching_features(rows, training.features)
    names = [name for name in training.candidates if estimators.can_read(name, features)]
    if not names:
        raise BadFeatures(f"No candidate of {list(training.candidates)} finds anything to read. {' '.join(said)}")
    said += [f"{name} is left out: nothing is left that it reads." for name in training.candidates if name not in names]
    return training.model_copy(update={"features": features, "model": None, "models": names}), said


def encode_all(rows: pd.DataFrame, training: Training) -> tuple[list[Encoding], list[str]]:
    """Read rows the way each candidate does that can be fitted on them, simplest first.

    Args:
        rows: with the problem's features and the label.

    Returns:
        (one for each candidate, what was left out and why: a sentence for each candidate or part of a text).

    Raises:
        NotEnoughLabels: from `contestants`.
        BadFeatures: from `data/features.py`, or no candidate finds anything to read.
    """
    encodings: list[Encoding] = []
    left_out: list[str] = []
    for name in contestants(training, len(rows)):
        try:
            encodings.append(encode(name, rows, training))
        except NothingToRead as error:
            left_out.append(f"{name} is left out. {error}")
        else:
            left_out += [
                f"{name} does without {part}: no text of {len(rows):,} holds one."
                for part in encodings[-1].missing_parts
            ]
    for sentence in left_out:
        log.warning("%s", sentence)
    if not encodings:
        raise BadFeatures(f"No candidate finds anything to learn from. {' '.join(left_out)}")
    return encodings, left_out


def encode(name: ModelName, rows: pd.DataFrame, training: Training) -> Encoding:
    """Read rows the way one candidate does; its words and scales are learned from all of them.

    Args:
        rows: with the problem's features and the label.

    Raises:
        BadFeatures: from `data/features.py`.
        NothingToRead: the candidate reads text, and no text holds a term.
    """
    spec = estimators.spec_of(name, learn_features(rows, training.features))
    frame = build_features(rows, spec)
    encoder = estimators.make_encoder(name, spec, frame)
    missing = tuple(estimators.missing_parts(name, spec, encoder))
    is_positive = rows[IS_POSITIVE].to_numpy(dtype=np.bool_)
    return Encoding(name, spec, encoder, encoder.fit_transform(frame), is_positive, missing)


def fit_scorer(encoding: Encoding, training: Training, settings: estimators.Settings) -> Scorer:
    """Fit one candidate on all rows that it has read.

    Args:
        settings: of the classifier; empty for the defaults.
    """
    classifier = _fit(encoding, np.ones(len(encoding.is_positive), dtype=np.bool_), training, settings)
    return Scorer(encoding.name, encoding.spec, encoding.encoder, classifier, settings)


def score_out_of_fold(
    encoding: Encoding,
    folds: Numbers,
    groups: Numbers,
    training: Training,
    settings: estimators.Settings,
) -> Probabilities:
    """Let each fold be scored by a classifier that was fitted without it; words and scales, which know no label, stay.

    Args:
        folds: shape (n_rows,), from 0; rows at -1 only teach.
        groups: shape (n_rows,), rows of one group never teach each other.

    Returns:
        shape (n_rows,), 0..1; NaN for rows that only teach.
    """
    scores = np.full(len(encoding.is_positive), np.nan)
    for fold in range(int(folds.max()) + 1):
        classifier = _fit(encoding, teaches(folds, groups, fold), training, settings)
        scores[folds == fold] = estimators.positive_probability(classifier, encoding.rows_where(folds == fold))
    return scores


def _fit(encoding: Encoding, is_teaching: Flags, training: Training, settings: estimators.Settings) -> Classifier:
    """Fit the classifier on some of the rows, held to the directions that the problem promises."""
    classifier = estimators.make_classifier(encoding.name, encoding.spec, training.features, training.seed, settings)
    with warnings.catch_warnings():
        # A process whose best scale lies beyond its bounds is fitted at the bound; the held-out rows judge it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        encoded, is_positive = encoding.rows_where(is_teaching), encoding.is_positive[is_teaching].astype(np.int64)
        classifier = classifier.fit(encoded, is_positive)
    directions = estimators.directions_of(training.features)
    if directions and isinstance(classifier, LogisticRegression):
        signs = signs_of(encoding.encoder, encoding.spec.numeric, directions, encoded.shape[1])
        hold_weights(classifier, cast(Matrix, encoded), is_positive, signs, 1.0 / classifier.C)
    return classifier


def search_settings(
    encoding: Encoding,
    folds: Numbers,
    groups: Numbers,
    training: Training,
    share_of_budget: float = 1.0,
) -> estimators.Settings:
    """Look for settings that are less surprised by rows they were not fitted on than the defaults are.

    The number of trials bounds the search, so that the same rows and seed find the same; the budget only cuts it off.
    Where the file asks for none, a few settings of some candidates are tried all the same.

    Args:
        folds: shape (n_rows,), rows at -1 only teach.
        groups: shape (n_rows,).
        share_of_budget: of the problem's time, for one of several searches in one training, 0..1.

    Returns:
        settings of the classifier; empty where nothing was better than the defaults, or nothing is searched.

    Source: Bergstra et al. 2011 (tree-structured Parzen estimator), as Optuna has it.
    """
    search, few = training.search, FEW_SETTINGS.get(encoding.name)
    if (search is None and few is None) or encoding.name == "gaussian_process":
        return {}

    def loss_of(settings: estimators.Settings) -> float:
        is_held = folds >= 0
        scores = score_out_of_fold(encoding, folds, groups, training, settings)[is_held]
        return metrics.log_loss(encoding.is_positive[is_held], scores)

    if search is None:
        return min(few or (), key=loss_of)

    return minimise(encoding.name, loss_of, search, training.seed, search.budget * share_of_budget)


def minimise(
    name: ModelName, loss_of: Callable[[estimators.Settings], float], search: Search, seed: int, budget: timedelta
) -> estimators.Settings:
    """Run the trials, saying each in the log; the defaults are the first of them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    default = loss_of({})
    log.info("%s: trial 0 of %s, the defaults: log loss %.5f", name, search.trials, default)

    def say(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        best = min(default, study.best_value)
        log.info("%s: trial %s of %s: %.5f, best %.5f", name, trial.number + 1, search.trials, trial.value, best)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(
        lambda trial: loss_of(estimators.suggest_settings(name, trial)),
        n_trials=search.trials - 1,
        timeout=budget.total_seconds(),
        callbacks=[say],
    )
    done = [(trial.value, trial.number) for trial in study.trials if trial.value is not None]
    best, number = min(done, default=(default, 0))
    return dict(study.trials[number].params) if best < default else {}
