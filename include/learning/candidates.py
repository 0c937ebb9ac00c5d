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


def fit_scorer(name: ModelName, rows: pd.DataFrame, training: Training, settings: models.Settings) -> Scorer:
    """Fit one candidate on all rows given.

    Args:
        rows: with the problem's features and the label.
        settings: of the classifier; empty for the defaults.

    Raises:
        BadFeatures: from `features.py`.
    """
    spec = models.spec_of(name, learn_features(rows, training.features))
    encoder = models.make_encoder(name, spec)
    encoded = encoder.fit_transform(build_features(rows, spec))
    is_positive = rows[IS_POSITIVE].to_numpy(dtype=np.bool_).astype(np.int64)
    classifier = models.make_classifier(name, spec, training.features, training.seed, settings)
    with warnings.catch_warnings():
        # A process whose best scale lies beyond its bounds is fitted at the bound; the held-out rows judge it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Scorer(name, spec, encoder, classifier.fit(encoded, is_positive), settings)


def score_out_of_fold(
    name: ModelName,
    rows: pd.DataFrame,
    folds: NDArray[np.int64],
    groups: NDArray[np.int64],
    training: Training,
    settings: models.Settings,
) -> NDArray[np.float64]:
    """Let each fold be scored by a candidate that was fitted, words and all, without it.

    Args:
        folds: shape (n_rows,), from 0; rows at -1 only teach.
        groups: shape (n_rows,), rows of one group never teach each other.

    Returns:
        shape (n_rows,), 0..1; NaN for rows that only teach.
    """
    scores = np.full(len(rows), np.nan)
    for fold in range(int(folds.max()) + 1):
        is_held = folds == fold
        scorer = fit_scorer(name, rows[teaches(folds, groups, fold)], training, settings)
        scores[is_held] = scorer.score(rows[is_held])
    return scores


def search_settings(
    name: ModelName,
    rows: pd.DataFrame,
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
    if search is None or name == "gaussian_process":
        return {}

    def loss_of(settings: models.Settings) -> float:
        is_held = folds >= 0
        scores = score_out_of_fold(name, rows, folds, groups, training, settings)[is_held]
        is_positive = rows[IS_POSITIVE].to_numpy(dtype=np.bool_)[is_held]
        return float(metrics.log_loss(is_positive, scores, metrics.ones(len(scores)))[0])

    return _minimise(name, loss_of, search, training.seed, search.budget * share_of_budget)


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
