"""The candidates: the base rate, the rule people used before, and the models that a problem lists.

What belongs here: how a candidate is built and asked. What does not: calibration, and what a candidate is worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from include.learning.data.features import TEXT, FeatureSpec
from include.learning.errors import NothingToRead
from include.learning.protocols import Classifier, Encoded, Encoder, Flags, Probabilities
from include.problems.sections.learning import Features, ModelName

if TYPE_CHECKING:  # half a second to import, and only a search needs it
    from optuna import Trial

# A word that one text uses teaches nothing about the next one, unless texts are so few that nearly every word is one.
MINIMUM_DOCUMENTS, FEW_TEXTS = 2, 20
MAX_WORDS = 20_000
PIECE_LENGTHS = (2, 4)  # a Korean word of two syllables is one piece of two
# Alone, without words beside them, shorter ones say more: on 1,000 Korean comments that no figure of docs/benchmarks.md
# is of, 1 to 3 were better than 2 to 4 (macro log loss .927 against .939), and words beside pieces worse (.970).
SHORT_LENGTHS = (1, 3)
MAX_PROCESS_ROWS = 1_000
# Weak regularisation: calibration is a separate step, and 100 was better than 10 and 30 at 100, 200 and 400 labels
# (log loss .086 against .097 and .090 at 400). Beside a text of length 1 a number of spread 1 would drown the words.
WORD_REGULARISATION = 100.0
PIECE_REGULARISATION = 1.0  # many pieces say nearly the same; where texts are easily told apart, a try of more wins
NUMBER_WEIGHT = 0.1
N_TREES = 50
DUMMY = "dummy"

# What is read of a text.
WORDS, CHARACTERS = "words", "characters"

Settings = Mapping[str, float | int]


def spec_of(name: ModelName, spec: FeatureSpec) -> FeatureSpec:
    """Give the part of the features that a candidate reads: text is for the candidates that are named after it."""
    return spec if name.startswith("text_") else replace(spec, text=())


def make_encoder(name: ModelName, spec: FeatureSpec, frame: pd.DataFrame) -> Encoder:
    """Make the part of a model that never sees a label: words, scales, one column for each category.

    Args:
        name: of the candidate.
        spec: what it reads, from `spec_of`.
        frame: feature frame of the rows it will be fitted on; a part of the text that has no terms there is left out
            (`missing_parts` names it).

    Returns:
        an unfitted transformer of the feature frame; gradient boosting needs none, and gets one that changes nothing.

    Raises:
        NothingToRead: nothing is left that the candidate could read.
    """
    if name == "gradient_boosting":
        as_it_is: Encoder = FunctionTransformer()
        return as_it_is
    parts: list[tuple[str, Encoder, str | list[str]]] = []
    for part in text_parts(name, spec):
        texts = frame[TEXT].tolist()
        lengths = SHORT_LENGTHS if name == "text_pieces" else PIECE_LENGTHS
        words = _make_words(texts) if part == WORDS else _make_characters(texts, lengths)
        if words is not None:
            parts.append((part, words, TEXT))
    if spec.numeric:
        numbers = Pipeline(
            [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
        )
        parts.append(("numbers", numbers, list(spec.numeric)))
    if spec.categories:
        # A Gaussian process measures distances, for which it needs every cell.
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=name != "gaussian_process")
        parts.append(("categories", one_hot, list(spec.categories)))
    if not parts:
        raise NothingToRead(
            f"{name} reads text alone, and not one of {len(frame):,} texts holds a word or a piece of one. Name "
            "columns that hold text in training.features.text, or add a candidate that reads numbers or categories."
        )
    # Numbers and categories are rare guests beside words; the words decide how the parts weigh.
    weights = {"numbers": NUMBER_WEIGHT} if spec.text else None
    encoder: Encoder = ColumnTransformer(parts, transformer_weights=weights, sparse_threshold=1.0)
    return encoder


def make_classifier(
    name: ModelName, spec: FeatureSpec, features: Features, seed: int, settings: Settings | None = None
) -> Classifier:
    """Make the part of a model that learns from labels, unfitted, with every choice of chance fixed by the seed.

    Args:
        name: of the candidate.
        spec: what it reads.
        features: of the problem, for the directions it promises.
        settings: what a search has found; the defaults where it found nothing better, or None.
    """
    found: dict[str, float | int] = dict(settings or {})
    classifier: Classifier
    if name in ("text_logistic", "text_characters"):
        classifier = LogisticRegression(**{"C": WORD_REGULARISATION, "max_iter": 1000, **found})
    elif name == "text_pieces":
        classifier = LogisticRegression(**{"C": PIECE_REGULARISATION, "max_iter": 1000, **found})
    elif name == "scorecard":
        # Many rows and few columns: half the time of the default solver, and exact where that stops early.
        classifier = LogisticRegression(**{"C": 1.0, "max_iter": 100, "solver": "newton-cholesky", **found})
    elif name == "gaussian_process":
        # The kernel's scale is found by marginal likelihood while it is fitted.
        classifier = GaussianProcessClassifier(1.0 * RBF(length_scale=3.0), random_state=seed, copy_X_train=False)
    else:
        # The library's defaults, not tuned, but for 50 trees instead of 100: over five months of flights they were as
        # good (log loss .498 both) in half the time. Early stopping is off: it would hold back random rows, and rows of
        # one day are too much alike for that to notice that a model has begun to learn the days by heart.
        classifier = HistGradientBoostingClassifier(
            monotonic_cst=directions_of(features) or None,
            categorical_features="from_dtype" if spec.categories else None,
            early_stopping=False,
            random_state=seed,
            **{"max_iter": N_TREES, **found},
        )
    return classifier


def suggest_settings(name: ModelName, trial: "Trial") -> Settings:
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


def text_parts(name: ModelName, spec: FeatureSpec) -> list[str]:
    """Name what a candidate reads of a text, where all of it has terms."""
    if not spec.text:
        return []
    if name == "text_pieces":
        return [CHARACTERS]
    return [WORDS, CHARACTERS] if name == "text_characters" else [WORDS]


def missing_parts(name: ModelName, spec: FeatureSpec, encoder: Encoder) -> list[str]:
    """Name the parts of the text that had no terms, so that a candidate does without them."""
    made = {part for part, *_ in getattr(encoder, "transformers", [])}
    return [part for part in text_parts(name, spec) if part not in made]


def _make_words(texts: Sequence[str]) -> TfidfVectorizer | None:
    """Weigh the words of a text by how rare they are; None where no text has one."""
    return _keep_terms(TfidfVectorizer(sublinear_tf=True, max_features=MAX_WORDS, strip_accents="unicode"), texts)


def _make_characters(texts: Sequence[str], lengths: tuple[int, int]) -> TfidfVectorizer | None:
    """Weigh pieces of words: Korean glues particles to its nouns, and who evades a word list writes v1agra."""
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=lengths, sublinear_tf=True, max_features=MAX_WORDS)
    return _keep_terms(pieces, texts)


def _keep_terms(vectoriser: TfidfVectorizer, texts: Sequence[str]) -> TfidfVectorizer | None:
    """Ask for terms that stand in two texts, where there are any; else, and of few texts, for terms that stand in one.

    Returns:
        the vectoriser, unfitted; None where no text has a term.
    """
    terms_of, seen = vectoriser.build_analyzer(), set[str]()
    for text in texts:
        terms = set(terms_of(text))
        if len(texts) >= FEW_TEXTS and not terms.isdisjoint(seen):
            return vectoriser.set_params(min_df=MINIMUM_DOCUMENTS)
        seen |= terms
    return vectoriser.set_params(min_df=1) if seen else None


def can_read(name: ModelName, features: Features) -> bool:
    """Say whether a candidate finds something to read in some features: texts need a text, the others a number or word.

    A candidate of texts reads numbers and categories beside them, and without any text there is a better one.
    """
    if name.startswith("text_"):
        return bool(features.text)
    return bool(features.numeric or features.categorical)


def directions_of(features: Features) -> dict[str, int]:
    """Give each promised direction: 1 where the probability never falls, -1 where it never rises."""
    return dict.fromkeys(features.increasing, 1) | dict.fromkeys(features.decreasing, -1)


def positive_probability(model: Classifier, frame: Encoded | pd.DataFrame) -> Probabilities:
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


def base_rate(is_positive: Flags) -> float:
    """Say how often the positive class happens: all that the dummy knows.

    Returns:
        0..1; with one row of each class added, so that no baseline is ever certain.
    """
    return float((is_positive.sum() + 1) / (len(is_positive) + 2))


def rule_rates(is_rule: Flags, is_positive: Flags) -> tuple[float, float]:
    """Turn the rule into probabilities: how often the positive class happens where it is silent, and where it speaks.

    Args:
        is_rule: shape (n_rows,), whether the rule says positive.
        is_positive: shape (n_rows,), what happened.

    Returns:
        (rate where silent, rate where it speaks), each 0..1.
    """
    return base_rate(is_positive[~is_rule]), base_rate(is_positive[is_rule])


def rule_probability(is_rule: Flags, rates: Sequence[float]) -> Probabilities:
    """Give each row the rate of its side of the rule."""
    return np.where(is_rule, rates[1], rates[0]).astype(np.float64)
