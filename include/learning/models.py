"""The candidates: the base rate, the rule people used before, and one real model.

What belongs here: how a candidate is built and asked. What does not: calibration, and what a candidate is worth.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from include.learning.features import TEXT, FeatureSpec
from include.problems.sections.learning import Features, Training

# A word that one text uses teaches nothing about the next one.
MINIMUM_DOCUMENTS = 2
MAX_WORDS = 20_000
# Weak regularisation: calibration is a separate step, and 100 was better than 10 and 30 at 100, 200 and 400 labels
# (log loss .086 against .097 and .090 at 400). Beside a text of length 1 a number of spread 1 would drown the words.
WORD_REGULARISATION = 100.0
NUMBER_WEIGHT = 0.1
N_TREES = 50
DUMMY = "dummy"


def make_encoder(training: Training, spec: FeatureSpec) -> Any:
    """Make the part of a model that never sees a label: words, scales, one column for each category.

    Returns:
        an unfitted transformer of the feature frame; gradient boosting needs none, and gets one that changes nothing.
    """
    if training.model == "gradient_boosting":
        return FunctionTransformer()
    parts: list[tuple[str, Any, Any]] = []
    if spec.text:
        words = TfidfVectorizer(
            sublinear_tf=True, min_df=MINIMUM_DOCUMENTS, max_features=MAX_WORDS, strip_accents="unicode"
        )
        parts.append(("words", words, TEXT))
    if spec.numeric:
        numbers = Pipeline(
            [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
        )
        parts.append(("numbers", numbers, list(spec.numeric)))
    if spec.categories:
        parts.append(("categories", OneHotEncoder(handle_unknown="ignore"), list(spec.categories)))
    # Numbers and categories are rare guests beside words; the words decide how the parts weigh.
    weights = {"numbers": NUMBER_WEIGHT} if spec.text else None
    return ColumnTransformer(parts, transformer_weights=weights, sparse_threshold=1.0)


def make_classifier(training: Training, spec: FeatureSpec) -> Any:
    """Make the part of a model that learns from labels, unfitted, with every choice of chance fixed by the seed."""
    if training.model == "text_logistic":
        return LogisticRegression(C=WORD_REGULARISATION, max_iter=1000)
    # The library's defaults, not tuned, but for 50 trees instead of 100: over five months of flights they were as good
    # (log loss .498 both) in half the time. Early stopping is off: it would hold back random rows, and rows of one day
    # are too much alike for that to notice that a model has begun to learn the days by heart.
    return HistGradientBoostingClassifier(
        monotonic_cst=directions_of(training.features) or None,
        categorical_features="from_dtype" if spec.categories else None,
        max_iter=N_TREES,
        early_stopping=False,
        random_state=training.seed,
    )


def directions_of(features: Features) -> dict[str, int]:
    """Give each promised direction: 1 where the probability never falls, -1 where it never rises."""
    return dict.fromkeys(features.increasing, 1) | dict.fromkeys(features.decreasing, -1)


def positive_probability(model: Any, frame: Any) -> NDArray[np.float64]:
    """Ask a fitted model for the probability of the positive class.

    Args:
        model: a classifier that was fitted on classes 0 and 1.
        frame: whatever the model was fitted on, shape (n_rows, ...).

    Returns:
        shape (n_rows,), 0..1.
    """
    if frame.shape[0] == 0:  # sklearn refuses to predict nothing
        return np.empty(0, dtype=np.float64)
    return np.asarray(model.predict_proba(frame)[:, 1], dtype=np.float64)


def base_rate(is_positive: NDArray[np.bool_]) -> float:
    """Say how often the positive class happens: all that the dummy knows.

    Returns:
        0..1; with one row of each class added, so that no baseline is ever certain.
    """
    return float((is_positive.sum() + 1) / (len(is_positive) + 2))


def rule_rates(is_rule: NDArray[np.bool_], is_positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Turn the rule into probabilities: how often the positive class happens where it is silent, and where it speaks.

    Args:
        is_rule: shape (n_rows,), whether the rule says positive.
        is_positive: shape (n_rows,), what happened.

    Returns:
        (rate where silent, rate where it speaks), each 0..1.
    """
    return base_rate(is_positive[~is_rule]), base_rate(is_positive[is_rule])


def rule_probability(is_rule: NDArray[np.bool_], rates: Sequence[float]) -> NDArray[np.float64]:
    """Give each row the rate of its side of the rule."""
    return np.where(is_rule, rates[1], rates[0]).astype(np.float64)
