"""Calibrators: from a model's score to a probability that means what it says.

What belongs here: the calibrators themselves, each fitted on scores and outcomes alone. What does not: which calibrator
a model gets, and on which rows it is fitted (`calibration/selection.py`). All calibrators are for two classes.
"""

from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.isotonic import IsotonicRegression

from include.learning.protocols import Classifier, Encoded, Flags, Numbers, Probabilities, ScoreMap

# Simplest first: of two calibrators that are equally good the earlier one is taken.
METHODS = ("none", "temperature", "sigmoid", "beta", "isotonic")
# A score of exactly 0 or 1 has no log-odds; one in a thousand million is certain enough.
_CLIP = 1e-9
# Weight of the squared distance from the calibrator that changes nothing, beside the log loss summed over the rows.
HOLD = 0.005


class LogisticMap(BaseEstimator):  # type: ignore[misc]
    """A calibrator whose log-odds are a weighted sum of the score's logarithms; it never reorders rows.

    `temperature`: w * logit(p). `sigmoid`: w * logit(p) + c. `beta`: a * ln(p) - b * ln(1 - p) + c. All but c are >= 0.

    Args:
        kind: temperature, sigmoid or beta.

    Source: Guo et al. 2017 (temperature); Platt 1999, with his targets for few rows, which belong to his map alone
        (sigmoid); Kull, Silva Filho and Flach 2017, Beta calibration, section 3 (beta).
    """

    def __init__(self, kind: str = "sigmoid") -> None:
        self.kind = kind

    def fit(self, p: Probabilities, is_positive: Flags) -> Self:
        """Find the weights of least log loss.

        Args:
            p: shape (n_rows,), scores 0..1 of rows that the model was not fitted on.
            is_positive: shape (n_rows,), what happened.
        """
        design = self._design(p)
        n_positive = int(is_positive.sum())
        targets = is_positive.astype(np.float64)
        if self.kind == "sigmoid":
            # Platt's targets: a few rows that happen to be split perfectly do not make the calibrator certain.
            targets = np.where(is_positive, (n_positive + 1) / (n_positive + 2), 1 / (len(p) - n_positive + 2))
        has_offset = self.kind != "temperature"
        bounds = [(0.0, None)] * (design.shape[1] - has_offset) + [(None, None)] * has_offset
        start = np.ones(design.shape[1])
        start[-1] = 0.0 if has_offset else 1.0
        # What keeps the other two calibrators from certainty where rows are split perfectly; of a thousand rows that
        # are not, it moves no weight by a thousandth.
        hold = 0.0 if self.kind == "sigmoid" else HOLD / len(p)
        found = minimize(
            _loss_and_slope,
            start,
            (design, targets, start.copy(), hold),
            "L-BFGS-B",
            True,
            bounds=bounds,
            options={"ftol": 1e-13},
        )
        self.weights_ = np.asarray(found.x, dtype=np.float64)
        return self

    def predict(self, p: Probabilities) -> Probabilities:
        """Give the probability of each score: shape (n_rows,), 0..1."""
        return np.asarray(expit(self._design(p) @ self.weights_), dtype=np.float64)

    def _design(self, p: Probabilities) -> Probabilities:
        """Write the scores as the columns that are weighted."""
        clipped = np.clip(p, _CLIP, 1 - _CLIP)
        ones = np.ones(len(clipped))
        if self.kind == "beta":
            return np.column_stack([np.log(clipped), -np.log1p(-clipped), ones])
        odds = logit(clipped)
        return np.column_stack([odds] if self.kind == "temperature" else [odds, ones])


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier of two classes, followed by a calibrator.

    Args:
        estimator: fitted on classes 0 and 1.
        method: one of `METHODS`.
        score_map: a fitted map; None where the scores are left as they are.
    """

    def __init__(self, estimator: Classifier, method: str = "none", score_map: ScoreMap | None = None) -> None:
        self.estimator = estimator
        self.method = method
        self.score_map = score_map

    @property
    def classes_(self) -> Numbers:
        """The classes, the positive one last."""
        return np.array([0, 1])

    def fit(self, encoded: Encoded, is_positive: Numbers) -> Self:
        """Fit the calibrator anew, on rows that the classifier was not fitted on; the classifier stays as it is."""
        scores = np.asarray(self.estimator.predict_proba(encoded)[:, 1], dtype=np.float64)
        self.score_map = fit_map(self.method, scores, np.asarray(is_positive, dtype=np.bool_))
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that both parts come fitted."""
        return True

    def predict_proba(self, encoded: Encoded) -> Probabilities:
        """Give both classes' probabilities: shape (n_rows, 2), rows sum to 1."""
        scores = self.estimator.predict_proba(encoded)[:, 1]
        p = apply_map(self.score_map, scores)
        return np.column_stack([1 - p, p])

    def predict(self, encoded: Encoded) -> Numbers:
        """Give the likelier class: shape (n_rows,)."""
        return (self.predict_proba(encoded)[:, 1] >= 0.5).astype(np.int64)


def fit_map(method: str, p: Probabilities, is_positive: Flags) -> ScoreMap | None:
    """Fit one calibrator.

    Args:
        method: one of `METHODS`.
        p: shape (n_rows,), scores 0..1 of rows that the model was not fitted on.
        is_positive: shape (n_rows,), both classes.

    Returns:
        the fitted map; None for `none`.

    Source: Zadrozny and Elkan 2002 (isotonic); see `LogisticMap` for the others.
    """
    if method == "none":
        return None
    if method == "isotonic":
        steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        fitted: ScoreMap = steps.fit(p, is_positive.astype(np.float64))
        return fitted
    return LogisticMap(method).fit(p, is_positive)


def apply_map(fitted: ScoreMap | None, p: Probabilities) -> Probabilities:
    """Turn scores into probabilities: shape (n_rows,), 0..1."""
    if fitted is None or not len(p):
        return np.asarray(p, dtype=np.float64)
    return np.asarray(fitted.predict(np.asarray(p, dtype=np.float64)), dtype=np.float64)


def _loss_and_slope(
    weights: Probabilities, design: Probabilities, targets: Probabilities, start: Probabilities, hold: float
) -> tuple[float, Probabilities]:
    """Give the mean log loss of weights, in nats, and how it changes with each; far from the start it costs more.

    Args:
        start: the weights that change nothing.
        hold: what a squared distance of 1 from them costs.
    """
    odds = design @ weights
    loss = float(np.mean(np.logaddexp(0.0, odds) - targets * odds) + hold * ((weights - start) ** 2).sum())
    return loss, design.T @ (expit(odds) - targets) / len(targets) + 2 * hold * (weights - start)
