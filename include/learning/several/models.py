"""Models of several classes or labels: a fitted classifier behind a calibrator, and one model for each label.

What belongs here: what serves, and how its scores become probabilities. What does not: which calibrator is chosen, and
on which rows anything is fitted (`fit_classes.py`, `fit_labels.py`).
"""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from include.learning.calibration.calibrators import HOLD
from include.learning.protocols import Classifier, Encoded, Numbers, Probabilities

# Simplest first: of two calibrators that are equally good the earlier one is taken.
METHODS = ("none", "temperature", "vector")
# One in a thousand million is certain enough; the logarithm of nothing is not a number.
_CLIP = 1e-9


class SoftmaxMap(BaseEstimator):  # type: ignore[misc]
    """A calibrator of several classes: softmax of weighted logarithms of the scores.

    `temperature`: one weight for all classes. `vector`: a weight and an offset for each class.

    Args:
        kind: temperature or vector.

    Source: Guo et al. 2017, sections 4.2 (temperature and vector scaling); held to what changes nothing, as the
        Dirichlet map of Kull et al. 2019 is (section 4); targets for few rows as in Platt 1999, for several classes.
    """

    def __init__(self, kind: str = "temperature") -> None:
        self.kind = kind

    def fit(self, p: Probabilities, codes: Numbers) -> Self:
        """Find the weights of least log loss.

        Args:
            p: shape (n_rows, n_classes), scores of rows that the model was not fitted on.
            codes: shape (n_rows,), what happened.
        """
        logs, n_classes = np.log(np.clip(p, _CLIP, 1.0)), p.shape[1]
        start = np.ones(1) if self.kind == "temperature" else np.append(np.ones(n_classes), np.zeros(n_classes))
        # Rows that happen to be split perfectly would make it certain: a class of n rows is believed (n + 1) / (n + 2).
        n_of = np.bincount(codes, minlength=n_classes)[codes][:, np.newaxis]
        targets = np.where(np.eye(n_classes, dtype=np.bool_)[codes], n_of + 1, 1 / (n_classes - 1)) / (n_of + 2)

        def loss_and_slope(weights: Probabilities) -> tuple[float, Probabilities]:
            scores = self._scores(logs, weights)
            wrong = (softmax(scores, axis=1) - targets) / len(codes)
            loss = float(-(targets * log_softmax(scores, axis=1)).sum(axis=1).mean())
            by_weight = (wrong * logs).sum(axis=0)
            slope = by_weight.sum(keepdims=True) if len(weights) == 1 else np.append(by_weight, wrong.sum(axis=0))
            away = weights - start
            hold = HOLD / len(codes) * (1 if len(weights) == 1 else 20)
            return loss + hold * float((away**2).sum()), slope + 2 * hold * away

        n_weights = 1 if len(start) == 1 else n_classes
        bounds = [(0.0, None)] * n_weights + [(None, None)] * (len(start) - n_weights)
        found = minimize(loss_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13})
        self.weights_ = np.asarray(found.x, dtype=np.float64)
        return self

    def predict(self, p: Probabilities) -> Probabilities:
        """Give the probabilities of each row of scores: shape (n_rows, n_classes), rows sum to 1."""
        return np.asarray(softmax(self._scores(np.log(np.clip(p, _CLIP, 1.0)), self.weights_), axis=1))

    def _scores(self, logs: Probabilities, weights: Probabilities) -> Probabilities:
        """Weigh the logarithms of scores."""
        if len(weights) == 1:
            return np.asarray(logs * weights[0])
        n_classes = logs.shape[1]
        return np.asarray(logs * weights[:n_classes] + weights[n_classes:])


class ClassesModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier of several classes, followed by a calibrator; classes too rare to learn get their share.

    Args:
        estimator: fitted on the numbers of the classes that were learned.
        classes: all classes of the problem, in its order.
        shares: shape (n_classes,), the share of a class that was too rare to learn; 0 for a learned one.
        method: one of `METHODS`.
        score_map: a fitted calibrator; None where the scores are left as they are.
    """

    def __init__(
        self,
        estimator: Classifier,
        classes: list[str],
        shares: Probabilities,
        method: str = "none",
        score_map: SoftmaxMap | None = None,
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.shares = shares
        self.method = method
        self.score_map = score_map

    @property
    def classes_(self) -> Numbers:
        """The numbers of the classes."""
        return np.arange(len(self.classes))

    def fit(self, encoded: Encoded, codes: Numbers) -> Self:
        """Fit the calibrator anew, on rows that the classifier was not fitted on; the classifier stays as it is.

        Args:
            encoded: of rows of learned classes.
            codes: shape (n_rows,), places among the learned classes.
        """
        self.score_map = fit_map(self.method, score_classes(self.estimator, encoded), codes)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that all parts come fitted."""
        return True

    def predict_proba(self, encoded: Encoded) -> Probabilities:
        """Give the probability of every class: shape (n_rows, n_classes), rows sum to 1."""
        return spread(apply_map(self.score_map, score_classes(self.estimator, encoded)), self.shares)


class LabelsModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One calibrated model for each label, each with the encoder that it was fitted with.

    Args:
        models: one pipeline for each label; None for a label that gave nothing to learn.
        classes: the labels, in the order of the problem file.
        shares: shape (n_classes,), how often a label without a model happens; 0 for the others.
        columns: of the frame, that each model reads.
    """

    def __init__(
        self, models: list[Pipeline | None], classes: list[str], shares: Probabilities, columns: list[list[str]]
    ) -> None:
        self.models = models
        self.columns = columns
        self.classes = classes
        self.shares = shares

    @property
    def classes_(self) -> Numbers:
        """The numbers of the labels."""
        return np.arange(len(self.classes))

    def fit(self, frame: pd.DataFrame, flags: NDArray[np.bool_]) -> Self:
        """Fit every label's calibrator anew, on rows that the models were not fitted on.

        Args:
            frame: features of the rows.
            flags: shape (n_rows, n_labels), whether a row has a label; both occur for each.
        """
        for place, (model, own) in enumerate(zip(self.models, self.columns, strict=True)):
            if model is not None:
                model[-1].fit(model[0].transform(frame[own]), flags[:, place])
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that all models come fitted."""
        return True

    def predict_proba(self, frame: pd.DataFrame) -> Probabilities:
        """Give the probability of every label: shape (n_rows, n_labels), each 0..1 by itself."""
        n_rows = frame.shape[0]
        columns = [
            np.full(n_rows, share) if model is None else model.predict_proba(frame[own])[:, 1]
            for model, share, own in zip(self.models, self.shares, self.columns, strict=True)
        ]
        return np.column_stack(columns).astype(np.float64)


def score_classes(classifier: Classifier, encoded: Encoded) -> Probabilities:
    """Ask a classifier about rows: shape (n_rows, n_learned), rows sum to 1 in double precision."""
    p = np.asarray(classifier.predict_proba(encoded), dtype=np.float64)
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def apply_map(fitted: SoftmaxMap | None, p: Probabilities) -> Probabilities:
    """Turn scores into probabilities: shape (n_rows, n_learned)."""
    return p if fitted is None else fitted.predict(p)


def spread(p: Probabilities, shares: Probabilities) -> Probabilities:
    """Make room for the classes that were too rare to learn.

    Args:
        p: shape (n_rows, n_learned), of the learned classes.
        shares: shape (n_classes,), 0 for a learned class.

    Returns:
        shape (n_rows, n_classes), rows sum to 1.
    """
    table = np.tile(shares, (len(p), 1)).astype(np.float64)
    table[:, shares == 0] = p * (1 - shares.sum())
    return table


def fit_map(method: str, p: Probabilities, codes: Numbers) -> SoftmaxMap | None:
    """Fit one calibrator; None for `none`.

    Args:
        p: shape (n_rows, n_learned), scores of rows that the model was not fitted on.
        codes: shape (n_rows,), what happened, as a place among the learned classes.
    """
    return None if method == "none" else SoftmaxMap(method).fit(p, codes)
