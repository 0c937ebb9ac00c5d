"""Why one row got its probability: what each feature added to the log-odds, exactly.

A calibrated model is explained on the log-odds *before* calibration: the calibration is one rising curve for all rows,
so it changes how far a row moves, never which feature pushes it which way. What does not belong here: how much a
feature matters over many rows (`explain/importances.py`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import ClassifierMixin

from include.learning.errors import CannotExplain, NotAdditive
from include.learning.explain.model_parts import Column, Parts, encoded_columns, to_rows
from include.learning.explain.tree_shap import explain_trees

# Sums of a few thousand doubles; a real mistake (a categorical split that is read as a number) is off by 0.1 and more.
TOLERANCE = 1e-6
N_SHOWN = 10
REST = "(all else)"


@dataclass(frozen=True)
class Contributions:
    """What each feature added to each row's log-odds.

    Attributes:
        base: log-odds that all rows start from.
        values: shape (n_rows, n_features), in log-odds; above 0 pushes towards the positive class.
        features: shape (n_features,), a word or a column each.
    """

    base: float
    values: sparse.csr_array
    features: tuple[str, ...]

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Give what they sum to: shape (n_rows,)."""
        return np.asarray(self.base + self.values.sum(axis=1), dtype=np.float64).ravel()


def explain_rows(parts: Parts, frame: pd.DataFrame) -> Contributions:
    """Explain rows of a linear model or of trees.

    Args:
        parts: the model.
        frame: feature frame of the rows to explain.

    Raises:
        CannotExplain: the model is neither.
        NotAdditive: the contributions do not sum to what the model said.
    """
    if parts.is_trees:
        base, values = explain_trees(parts.classifier, frame)
        found = Contributions(base, to_rows(values), tuple(frame.columns))
        said = parts.classifier.decision_function(frame) if len(frame) else np.empty(0)
    elif parts.is_linear:
        encoded = parts.encoder.transform(frame)
        found = explain_linear(parts.classifier, encoded_columns(parts.encoder, encoded.shape[1]), encoded)
        said = parts.classifier.decision_function(encoded) if len(frame) else np.empty(0)
    else:
        raise CannotExplain(
            f"A {type(parts.classifier).__name__} is neither linear nor made of trees; its single answers have no "
            "exact contributions. The importances of the model card still hold."
        )
    require_additive(found, np.asarray(said, dtype=np.float64))
    return found


def explain_linear(classifier: ClassifierMixin, columns: list[Column], encoded: sparse.csr_array) -> Contributions:
    """Split the log-odds of a linear model by feature.

    log-odds = intercept + sum over features of sum_j w_j x_j, where the columns j of one category are one feature. The
    start is a row whose encoded columns are all 0: no word, every number at its mean, no category that weighs.

    Args:
        columns: of every encoded column.
        encoded: shape (n_rows, n_columns).
    """
    weights = np.asarray(classifier.coef_, dtype=np.float64).ravel()
    # A word is its own feature; columns of one category share one. Names alone would join a word and a column.
    keys = [(column.feature, index if column.is_word else -1) for index, column in enumerate(columns)]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    shape = (len(keys), len(places))
    spread = sparse.csr_array((weights, (np.arange(len(keys)), [places[key] for key in keys])), shape=shape)
    base = float(np.asarray(classifier.intercept_).ravel()[0])
    return Contributions(base, sparse.csr_array(to_rows(encoded) @ spread), tuple(name for name, _ in places))


def require_additive(found: Contributions, said: NDArray[np.float64]) -> None:
    """Refuse contributions that do not sum to what the model said.

    Args:
        said: shape (n_rows,), the model's log-odds.

    Raises:
        NotAdditive: the message names how many rows and the worst one.
    """
    gaps = np.abs(found.log_odds - said)
    is_off = ~(gaps <= TOLERANCE * (1 + np.abs(said)))
    if is_off.any():
        row = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        raise NotAdditive(
            f"The contributions of {int(is_off.sum()):,} of {len(said):,} rows do not sum to the model's log-odds "
            f"(worst: row {row}, {found.log_odds[row]:.6f} instead of {said[row]:.6f}; {TOLERANCE:g} is allowed). "
            "They explain another model and were not stored; was scikit-learn updated?"
        )


def list_contributions(found: Contributions, row: int, n_shown: int = N_SHOWN) -> list[tuple[str, float]]:
    """List what moved one row most, and everything else as one number, so that the list sums to the log-odds.

    Args:
        row: position.
        n_shown: features at most; those that added nothing are left out.

    Returns:
        `(all else)` first, with the base in it; then (feature, contribution), the largest first, ties by name.
    """
    values = found.values[[row], :].tocoo()
    pairs = sorted(
        ((found.features[place], float(value)) for place, value in zip(values.coords[1], values.data, strict=True)),
        key=lambda pair: (-abs(pair[1]), pair[0]),
    )
    shown = [pair for pair in pairs if pair[1] != 0.0][:n_shown]
    rest = found.base + sum(value for _, value in pairs) - sum(value for _, value in shown)
    return [(REST, float(rest)), *shown]
