"""Makes a model's scores mean what they say: of 100 rows with 0.3, about 30 should happen.

What belongs here: learning the map from score to probability on rows the model was not fitted on. What does not: asking
later whether it still holds (the monitoring room).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold

N_FOLDS = 5


def calibrate_fitted(classifier: Any, encoded: Any, is_positive: NDArray[np.bool_], method: str) -> Any:
    """Calibrate a fitted classifier on later rows; the classifier itself stays as it is.

    Args:
        classifier: fitted.
        encoded: rows that the classifier was not fitted on, shape (n_rows, ...), of both classes.
        method: `sigmoid` or `isotonic`.

    Returns:
        a classifier whose probabilities are calibrated.

    Source: Platt 1999 (sigmoid); Zadrozny and Elkan 2002 (isotonic).
    """
    model = CalibratedClassifierCV(FrozenEstimator(classifier), method=method)
    return model.fit(encoded, is_positive.astype(np.int64))


def fit_calibrated(classifier: Any, encoded: Any, is_positive: NDArray[np.bool_], method: str, seed: int) -> Any:
    """Fit a classifier on all rows, and calibrate it on its own out-of-fold scores: for when rows are few.

    Args:
        classifier: unfitted.
        encoded: shape (n_rows, ...); at least 2 rows of each class.
        method: `sigmoid` or `isotonic`.
        seed: fixes the folds.

    Returns:
        a classifier whose probabilities are calibrated; one model, not one for each fold.
    """
    n_rarest = int(min(is_positive.sum(), (~is_positive).sum()))
    folds = StratifiedKFold(min(N_FOLDS, n_rarest), shuffle=True, random_state=seed)
    model = CalibratedClassifierCV(classifier, method=method, cv=folds, ensemble=False)
    return model.fit(encoded, is_positive.astype(np.int64))


def uncalibrated(model: Any) -> Any:
    """Give the classifier inside a calibrated one, whose scores are as the fit left them."""
    return model.calibrated_classifiers_[0].estimator
