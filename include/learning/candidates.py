"""Fits the candidates of a problem, each on the same rows, and lets them score rows they have not seen.

What belongs here: fitting, scoring out of fold, and the search for settings. What does not: which rows are for what
(`training.py`), and what a candidate is made of (`models.py`).
"""

import logging
import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from include.errors import NotEnoughLabels
from include.learning import metrics, models
from include.learning.columns import IS_POSITIVE
from include.learning.features import FeatureSpec, build_features, learn_features
from include.learning.splitting import teaches
from include.problems.sections.learning import ModelName, Search, Training

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoding:
    """Training rows as one candidate reads them.

    Attributes:
        name: of the candidate.
        spec: what it reads.
        encoder: fitted on these rows; never saw a label.
        encoded: the rows, a frame or a matrix.
        is_positive: shape (n_rows,).
    """

    name: ModelName
    spec: FeatureSpec
    encoder: Any
    encoded: Any
    is_positive: NDArray[np.bool_]

    def rows_where(self, is_taken: NDArray[np.bool_]) -> Any:
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
    encoder: Any
    classifier: Any
    settings: models.Settings

    def encode(self, rows: pd.DataFrame) -> Any:
        """Turn rows into what the classifier reads."""
        return self.encoder.transform(build_features(rows, self.spec))

    def score(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Score rows as the fit left it: shape (n_rows,), 0..1."""
        return models.positive_probability(self.classifier, self.encode(rows))


def contestants(training: Training, n_rows: int) -> list[ModelName]:
    """Name the problem's candidates that can be fitted on so many rows, simplest first.

    Raises:
        NotEnoughLabels: none can; a Gaussian process alone, and more rows than it can take.
    """
    simplest_first = sorted(training.candidates, key=models.complexity)
    found = [name for name in simplest_first if models.is_for(name, n_rows)]
    for name in simplest_first:
        if name not in found:
            log.info("%s is left out: %s rows, and it takes at most %s.", name, n_rows, models.MAX_PROCESS_ROWS)
    if not found:
        raise NotEnoughLabels(
            f"training.models: none of {list(training.candidates)} can be fitted on {n_rows:,} rows; a Gaussian "
            f"process takes at most {models.MAX_PROCESS_ROWS:,}. Add a scorecard or gradient_boosting to the list."
        )
    return found


def encode(name: ModelName, rows: pd.DataFrame, training: Training) -> Encoding:
    """Read rows the way one candidate does; its words and scales are learned from all of them.

    Args:
        rows: with the problem's features and the label.

    Raises:
        BadFeatures: from `features.py`.
    """
    spec = models.spec_of(name, learn_features(rows, training.features))
    encoder = models.make_encoder(name, spec)
    encoded = encoder.fit_transform(build_features(rows, spec))
    return Encoding(name, spec, encoder, encoded, rows[IS_POSITIVE].to_numpy(dtype=np.bool_))


def fit_scorer(encoding: Encoding, training: Training, settings: models.Settings) -> Scorer:
    """Fit one candidate on all rows that it has read.

    Args:
        settings: of the classifier; empty for the defaults.
    """
    classifier = _fit(encoding, np.ones(len(encoding.is_positive), dtype=np.bool_), training, settings)
    return Scorer(encoding.name, encoding.spec, encoding.encoder, classifier, settings)


def score_out_of_fold(
    encoding: Encoding,
    folds: NDArray[np.int64],
    groups: NDArray[np.int64],
    training: Training,
    settings: models.Settings,
) -> NDArray[np.float64]:
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
        scores[folds == fold] = models.positive_probability(classifier, encoding.rows_where(folds == fold))
    return scores


def _fit(encoding: Encoding, is_teaching: NDArray[np.bool_], training: Training, settings: models.Settings) -> Any:
    """Fit the classifier on some of the rows."""
    classifier = models.make_classifier(encoding.name, encoding.spec, training.features, training.seed, settings)
    with warnings.catch_warnings():
        # A process whose best scale lies beyond its bounds is fitted at the bound; the held-out rows judge it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(encoding.rows_where(is_teaching), encoding.is_positive[is_teaching].astype(np.int64))


def search_settings(
    encoding: Encoding,
    folds: NDArray[np.int64],
    groups: NDArray[np.int64],
    training: Training,
    share_of_budget: float = 1.0,
) -> models.Settings:
    """Look for settings that are less surprised by rows they were not fitted on than the defaults are.

    The number of trials bounds the search, so that the same rows and seed find the same; the budget only cuts it off.

    Args:
        folds: shape (n_rows,), rows at -1 only teach.
        groups: shape (n_rows,).
        share_of_budget: of the problem's time, for one of several searches in one training, 0..1.

    Returns:
        settings of the classifier; empty where nothing was better than the defaults, or nothing is searched.

    Source: Bergstra et al. 2011 (tree-structured Parzen estimator), as Optuna has it.
    """
    search = training.search
    if search is None or encoding.name == "gaussian_process":
        return {}

    def loss_of(settings: models.Settings) -> float:
        is_held = folds >= 0
        scores = score_out_of_fold(encoding, folds, groups, training, settings)[is_held]
        return float(metrics.log_loss(encoding.is_positive[is_held], scores, metrics.ones(len(scores)))[0])

    return _minimise(encoding.name, loss_of, search, training.seed, search.budget * share_of_budget)


def _minimise(name: ModelName, loss_of: Any, search: Search, seed: int, budget: timedelta) -> models.Settings:
    """Run the trials, saying each in the log; the defaults are the first of them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    default = loss_of({})
    log.info("%s: trial 0 of %s, the defaults: log loss %.5f", name, search.trials, default)

    def say(study: Any, trial: Any) -> None:
        best = min(default, study.best_value)
        log.info("%s: trial %s of %s: %.5f, best %.5f", name, trial.number + 1, search.trials, trial.value, best)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(
        lambda trial: loss_of(models.suggest_settings(name, trial)),
        n_trials=search.trials - 1,
        timeout=budget.total_seconds(),
        callbacks=[say],
    )
    done = [(trial.value, trial.number) for trial in study.trials if trial.value is not None]
    best, number = min(done, default=(default, 0))
    return dict(study.trials[number].params) if best < default else {}
