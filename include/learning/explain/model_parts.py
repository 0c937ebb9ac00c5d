"""Takes a stored model apart: what encodes, what classifies, and which feature each encoded column comes from.

What belongs here: looking inside fitted scikit-learn objects. What does not: what is made of the parts
(`explain/contributions.py`, `explain/importances.py`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.features import TEXT


@dataclass(frozen=True)
class Parts:
    """A model in two parts.

    Attributes:
        encoder: turns the feature frame into what the classifier reads; never sees a label.
        classifier: the fitted classifier inside the calibration.
    """

    encoder: Any
    classifier: Any

    @property
    def is_linear(self) -> bool:
        """Say whether its log-odds are a weighted sum of encoded columns."""
        return hasattr(self.classifier, "coef_") and hasattr(self.classifier, "intercept_")

    @property
    def is_trees(self) -> bool:
        """Say whether its log-odds are a sum of the leaves of trees."""
        return isinstance(self.classifier, HistGradientBoostingClassifier)


@dataclass(frozen=True)
class Column:
    """One encoded column.

    Attributes:
        feature: what people call it: the word, `[piece]` for a piece of one, or the column of the problem.
        is_word: whether it counts a word or a piece of one; 0 then means that the text does not have it.
    """

    feature: str
    is_word: bool


def take_apart(model: Pipeline) -> Parts:
    """Find the encoder and the classifier of a stored model, whatever calibrates it.

    Args:
        model: the pipeline of two steps that training makes; the last one may be calibrated.
    """
    classifier = model[-1].estimator if isinstance(model[-1], Calibrated) else model[-1]
    return Parts(model[0], classifier)


def encoded_columns(encoder: ColumnTransformer, n_columns: int) -> list[Column]:
    """Say of every encoded column which feature it comes from.

    Args:
        encoder: a fitted column transformer, or one that changes nothing.
        n_columns: how many columns it makes.

    Returns:
        one for each column, in order.
    """
    columns = [Column("", False)] * n_columns
    for name, transformer, sources in getattr(encoder, "transformers_", []):
        if name == "remainder" or isinstance(transformer, str):
            continue
        place = encoder.output_indices_[name]
        found = _columns_of(transformer, [TEXT] if isinstance(sources, str) else list(sources))
        columns[place] = found
    return columns


def to_rows(encoded: Any) -> sparse.csr_array:
    """Give encoded rows as one kind of sparse matrix, whatever the encoder made."""
    return sparse.csr_array(encoded, dtype=np.float64)


def _columns_of(transformer: BaseEstimator, sources: list[str]) -> list[Column]:
    """Name the columns that one transformer makes."""
    last = transformer[-1] if hasattr(transformer, "steps") else transformer
    if isinstance(last, OneHotEncoder):
        return [
            Column(source, False)
            for source, values in zip(sources, last.categories_, strict=True)
            for _ in range(len(values))
        ]
    if isinstance(last, TfidfVectorizer):
        names = [str(name) for name in last.get_feature_names_out()]
        # A piece of a word may be spelled like a whole one.
        return [Column(name if last.analyzer == "word" else f"[{name}]", True) for name in names]
    return [Column(name, False) for name in sources]
