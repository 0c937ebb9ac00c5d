"""What this room asks of the objects that scikit-learn fits, and the arrays that go in and out.

What belongs here: types alone. What does not: making or fitting such objects (`training/estimators.py`).
"""

from typing import Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Probabilities = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


class Encoded(Protocol):
    """Rows as a classifier reads them: a frame, a matrix, or a sparse one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_rows, n_columns)."""

    def __getitem__(self, rows: Flags | NDArray[np.intp], /) -> Self:
        """Take some of the rows."""


class Encoder(Protocol):
    """The part of a model that never sees a label."""

    def fit_transform(self, frame: pd.DataFrame) -> Encoded:
        """Learn words and scales from a frame of features, and encode it."""

    def transform(self, frame: pd.DataFrame) -> Encoded:
        """Encode a frame of features."""


@runtime_checkable
class Classifier(Protocol):
    """The part of a model that learns from labels."""

    def fit(self, encoded: Encoded, is_positive: Numbers) -> Self:
        """Learn from encoded rows and their classes, 0 and 1."""

    def predict_proba(self, encoded: Encoded) -> Probabilities:
        """Give the probability of each class: shape (n_rows, 2)."""


class LinearClassifier(Classifier, Protocol):
    """A classifier whose log-odds are a weighted sum of encoded columns."""

    coef_: Probabilities
    intercept_: Probabilities


class ScoreMap(Protocol):
    """A fitted map from scores to probabilities."""

    def predict(self, scores: Floats) -> Probabilities:
        """Give the probability of each score: shape (n_rows,), 0..1."""
