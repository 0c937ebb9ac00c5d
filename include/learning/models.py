"""The candidates: the base rate, the rule people used before, and the models that a problem lists.

What belongs here: how a candidate is built and asked. What does not: calibration, and what a candidate is worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from include.learning.features import TEXT, FeatureSpec
from include.problems.sections.learning import Features, ModelName

# A word that one text uses teaches nothing about the next one.
MINIMUM_DOCUMENTS = 2
MAX_WORDS = 20_000
PIECE_LENGTHS = (2, 4)  # a Korean word of two syllables is one piece of two
MAX_PROCESS_ROWS = 1_000
# Weak regularisation: calibration is a separate step, and 100 was better than 10 and 30 at 100, 200 and 400 labels
# (log loss .086 against .097 and .090 at 400). Beside a text of length 1 a number of spread 1 would drown the words.
WORD_REGULARISATION = 100.0
NUMBER_WEIGHT = 0.1
N_TREES = 50
DUMMY = "dummy"

Settings = Mapping[str, Any]


def spec_of(name: ModelName, spec: FeatureSpec) -> FeatureSpec:
    """Give the part of the features that a candidate reads: text is for the candidates that are named after it."""
    return spec if name.startswith("text_") else replace(spec, text=())


def make_encoder(name: ModelName, spec: FeatureSpec) -> Any:
    """Make the part of a model that never sees a label: words, scales, one column for each category.

    Args:
        name: of the candidate.
        spec: what it reads, from `spec_of`.

    Returns:
        an unfitted transformer of the feature frame; gradient boosting needs none, and gets one that changes nothing.
    """
    if name == "gradient_boosting":
        return FunctionTransformer()
    parts: list[tuple[str, Any, Any]] = []
    if spec.text:
        parts.append(("words", _make_words(), TEXT))
    if name == "text_characters":
        parts.append(("characters", _make_characters(), TEXT))
    if spec.numeric:
        numbers = Pipeline(
            [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
        )
        parts.append(("numbers", numbers, list(spec.numeric)))
    if spec.categories:
        # A Gaussian process measures distances, for which it needs every cell.
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=name != "gaussian_process")
        parts.append(("categories", one_hot, list(spec.categories)))
    # Numbers and categories are rare guests beside words; the words decide how the parts weigh.
    weights = {"numbers": NUMBER_WEIGHT} if spec.text else None
    return ColumnTransformer(parts, transformer_weights=weights, sparse_threshold=1.0)


def make_classifier(
    name: ModelName, spec: FeatureSpec, features: Features, seed: int, settings: Settings | None = None
) -> Any:
    """Make the part of a model that learns from labels, unfitted, with every choice of chance fixed by the seed.

    Args:
        name: of the candidate.
        spec: what it reads.
        features: of the problem, for the directions it promises.
        settings: what a search has found; the defaults where it found nothing better, or None.
    """
    found = dict(settings or {})
    if name in ("text_logistic", "text_characters"):
        return LogisticRegression(**{"C": WORD_REGULARISATION, "max_iter": 1000, **found})
    if name == "scorecard":
        # Many rows and few columns: half the time of the default solver, and exact where that stops early.
        return LogisticRegression(**{"C": 1.0, "max_iter": 100, "solver": "newton-cholesky", **found})
    if name == "gaussian_process":
        # The kernel's scale is found by marginal likelihood while it is fitted.
        return GaussianProcessClassifier(1.0 * RBF(length_scale=3.0), random_state=seed, copy_X_train=False)
    # The library's defaults, not tuned, but for 50 trees instead of 100: over five months of flights they were as good
    # (log loss .498 both) in half the time. Early stopping is off: it would hold back random rows, and rows of one day
    # are too much alike for that to notice that a model has begun to learn the days by heart.
    return HistGradientBoostingClassifier(
        monotonic_cst=directions_of(features) or None,
        categorical_features="from_dtype" if spec.categories else None,
        early_stopping=False,
        random_state=seed,
        **{"max_iter": N_TREES, **found},
    )


def suggest_settings(name: ModelName, trial: Any) -> Settings:
    """Let a search suggest settings of one candidate.

    Args:
        trial: an Optuna trial.

    Returns:
        arguments of the classifier; none for a candidate that finds its own.
    """
    if name == "gradient_boosting":
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "max_iter": trial.suggest_int("max_iter", 25, 150),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 63, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 200, log=True),
            "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10.0, log=True),
        }
    if name == "gaussian_process":
        return {}
    return {"C": trial.suggest_float("C", 1e-2, 1e3, log=True)}


def is_for(name: ModelName, n_rows: int) -> bool:
    """Say whether a candidate can be fitted on so many rows: a Gaussian process takes the cube of them."""
    return name != "gaussian_process" or n_rows <= MAX_PROCESS_ROWS


def complexity(name: ModelName) -> int:
    """Say how far from simple a candidate is; the problem file's own list is in this order."""
    return get_args(ModelName).index(name)


def _make_words() -> TfidfVectorizer:
    """Weigh the words of a text by how rare they are."""
    return TfidfVectorizer(sublinear_tf=True, min_df=MINIMUM_DOCUMENTS, max_features=MAX_WORDS, strip_accents="unicode")


def _make_characters() -> TfidfVectorizer:
    """Weigh pieces of words: Korean glues particles to its nouns, and who evades a word list writes v1agra."""
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=PIECE_LENGTHS,
        sublinear_tf=True,
        min_df=MINIMUM_DOCUMENTS,
        max_features=MAX_WORDS,
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
