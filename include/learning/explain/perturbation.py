"""Two ways to ask a model about its features: by the columns of its frame, or by its strongest words.

What belongs here: making a model answer for rows in which one feature is shuffled or left out. What does not: what is
made of the answers (`explain/importances.py`).
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessClassifier

from include.learning.explain.model_parts import encoded_columns, take_apart, to_rows
from include.learning.explain.partial_dependence import usual_values
from include.learning.training.estimators import positive_probability

N_WORDS = 15  # the strongest ones; behind them come thousands that move next to nothing
N_REFIT_TREES = 25

Probabilities = NDArray[np.float64]
Flags = NDArray[np.bool_]


class ModelView(Protocol):
    """What the questions about importance need.

    Attributes:
        frame: one column for each feature that is asked about.
        presence: the same features as values that can be binned.
        features: their names.
        can_refit: whether fitting again is cheap enough.
    """

    frame: pd.DataFrame
    presence: pd.DataFrame
    features: Sequence[str]
    can_refit: bool

    def predict(self, asked: pd.DataFrame) -> Probabilities:
        """Give the probability of each row of a changed `frame`."""

    def refit_without(self, name: str | None, is_fit: Flags, is_positive: Flags) -> Probabilities:
        """Fit on some rows without a feature, and give the probabilities of the others."""


class FrameView:
    """A model of numbers and categories, asked by the columns of its frame."""

    def __init__(self, model: Any, frame: pd.DataFrame) -> None:
        self._model, self._parts = model, take_apart(model)
        self.frame = self.presence = frame
        self.features: Sequence[str] = list(frame.columns)
        self.can_refit = not isinstance(self._parts.classifier, GaussianProcessClassifier)

    def predict(self, asked: pd.DataFrame) -> Probabilities:
        """Give the probability of each row of a changed frame."""
        return positive_probability(self._model, asked)

    def refit_without(self, name: str | None, is_fit: Flags, is_positive: Flags) -> Probabilities:
        """Fit on some rows with a feature held at one value, and give the probabilities of the others."""
        frame = self.frame if name is None else self.frame.assign(**{name: _one_value(self.frame[name])})
        encoder, classifier = clone(self._parts.encoder), clone(self._parts.classifier)
        if self._parts.is_trees:  # the comparison is fair with fewer trees, and a dozen fits take a second
            classifier.set_params(max_iter=min(classifier.max_iter, N_REFIT_TREES))
        encoded = encoder.fit_transform(frame[is_fit])
        classifier.fit(encoded, is_positive[is_fit].astype(np.int64))
        return positive_probability(classifier, encoder.transform(frame[~is_fit]))


class WordView:
    """A linear model of text, asked by its strongest encoded columns; the others stay as they are."""

    can_refit = True

    def __init__(self, model: Any, frame: pd.DataFrame) -> None:
        self._classifier, parts = model[-1], take_apart(model)
        self.encoded = to_rows(parts.encoder.transform(frame))
        self._plain = parts.classifier
        self.names = [column.feature for column in encoded_columns(parts.encoder, self.encoded.shape[1])]
        self._places = self._strongest()
        self.features: Sequence[str] = [self.names[place] for place in self._places]
        n_columns = self.encoded.shape[1]
        chosen = (np.ones(len(self._places)), (np.arange(len(self._places)), self._places))
        self._spread = sparse.csr_array(chosen, shape=(len(self._places), n_columns))
        is_kept = np.ones(n_columns)
        is_kept[self._places] = 0.0
        self._rest = self.encoded @ sparse.diags_array(is_kept, format="csr")
        self.frame = pd.DataFrame(self.encoded[:, self._places].toarray(), columns=list(self.features))
        has = np.where(self.frame > 0, "has it", "has it not")
        self.presence = pd.DataFrame({name: pd.Categorical(has[:, at]) for at, name in enumerate(self.features)})

    def predict(self, asked: pd.DataFrame) -> Probabilities:
        """Give the probability of each text with other weights of its strongest words."""
        return positive_probability(self._classifier, self._rest + sparse.csr_array(asked.to_numpy()) @ self._spread)

    def refit_without(self, name: str | None, is_fit: Flags, is_positive: Flags) -> Probabilities:
        """Fit on some texts without a word, and give the probabilities of the others; before calibration."""
        encoded = self.encoded
        if name is not None:
            is_kept = np.array([one != name for one in self.names], dtype=np.float64)
            encoded = encoded @ sparse.diags_array(is_kept, format="csr")
        classifier = clone(self._plain).fit(encoded[np.flatnonzero(is_fit)], is_positive[is_fit].astype(np.int64))
        return positive_probability(classifier, encoded[np.flatnonzero(~is_fit)])

    def _strongest(self) -> NDArray[np.intp]:
        """Find the columns that move the log-odds most on average; of two with one name the stronger."""
        weights = np.abs(np.asarray(self._plain.coef_, dtype=np.float64).ravel())
        sizes = np.asarray(abs(self.encoded).mean(axis=0)).ravel() * weights
        order = np.argsort(-sizes, kind="stable")
        first_of_name: dict[str, int] = {}
        for place in order:
            if len(first_of_name) == N_WORDS or sizes[place] == 0:
                break
            first_of_name.setdefault(self.names[int(place)], int(place))
        return np.array(list(first_of_name.values()), dtype=np.intp)


def linear_columns(view: ModelView) -> tuple[Any, list[str]]:
    """Give the rows as a linear model would read them, and the feature of each column.

    Numbers are scaled to spread 1, a category has a column for each of its most frequent values, and words weigh what
    they weigh in the model.
    """
    if isinstance(view, WordView):
        return view.encoded, view.names
    columns, names = [], []
    for name, column in view.frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            made = [(column == value).to_numpy(dtype=np.float64) for value in usual_values(column)]
        else:
            values = column.fillna(column.median() if column.notna().any() else 0.0).to_numpy(dtype=np.float64)
            made = [(values - values.mean()) / (values.std() or 1.0)]
        columns += made
        names += [str(name)] * len(made)
    return np.column_stack(columns), names


def _one_value(column: "pd.Series[Any]") -> Any:
    """Give a column of one and the same value, which tells a model nothing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Categorical.from_codes(np.zeros(len(column), dtype=np.int64), dtype=column.dtype)
    return np.zeros(len(column))
