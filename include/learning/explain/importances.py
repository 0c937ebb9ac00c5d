"""How much each feature matters over many rows, by four questions that need not agree.

* permutation: how much worse the fitted model gets when the feature's values are shuffled among the rows;
* ablation: how much worse a model gets that is fitted without the feature;
* mutual information: how much the feature says about the label by itself, whatever model;
* L1 path: how early the feature enters a linear model as the penalty is relaxed.

Where they disagree there is something to learn: two features that say the same share the ablation's zero, and only
permutation sees what a feature does together with others. What belongs here: frames and predictions in, numbers out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import l1_min_c

from include.learning.metrics import estimate_mean
from include.learning.protocols import Flags, Probabilities
from include.stats.bootstrap import Resamples
from include.stats.probabilities import row_log_loss

PERMUTATION, ABLATION, MUTUAL_INFORMATION, L1_PATH = "permutation", "ablation", "mutual_information", "l1_path"
N_REPEATS = 5
N_BINS = 10
N_PENALTIES = 12
WEAKEST_PENALTY = 0.01  # of the one that keeps everything out; what has not entered by then adds little

Predict = Callable[[pd.DataFrame], Probabilities]


@dataclass(frozen=True)
class Importance:
    """One feature by one method.

    Attributes:
        method: which of the four questions.
        feature: a column, or a word.
        value: log loss in nats (permutation, ablation), nats (mutual information), or 0..1 (L1 path, 1 enters first).
        low: lower end of the 95 % interval; None where the method has none.
        high: upper end.
    """

    method: str
    feature: str
    value: float
    low: float | None
    high: float | None


def permutation_importance(
    predict: Predict,
    frame: pd.DataFrame,
    is_positive: Flags,
    features: Sequence[str],
    resamples: Resamples,
    rng: np.random.Generator,
    n_repeats: int = N_REPEATS,
) -> list[Importance]:
    """Say how much the log loss of held-out rows grows when one feature is shuffled among them.

    Args:
        predict: feature frame to probabilities.
        frame: held-out rows.
        is_positive: shape (n_rows,), what happened.
        features: columns of `frame` to ask about.
        resamples: of the rows, for the interval.
        rng: the shuffles.
        n_repeats: shuffles of each feature.

    Returns:
        one for each feature, in nats a row; around 0 the model does not use it.

    Source: Breiman 2001, Random forests, section 10.
    """
    before = row_log_loss(is_positive, predict(frame))
    found = []
    for name in features:
        after = [
            row_log_loss(
                is_positive, predict(frame.assign(**{name: frame[name].take(rng.permutation(len(frame))).array}))
            )
            for _ in range(n_repeats)
        ]
        found.append(_mean_with_interval(PERMUTATION, name, np.mean(after, axis=0) - before, resamples))
    return found


def ablation_importance(
    fit: Callable[[str | None], Probabilities],
    is_positive: Flags,
    features: Sequence[str],
    resamples: Resamples,
) -> list[Importance]:
    """Say how much worse rows are predicted by a model that was fitted without a feature.

    Args:
        fit: takes the feature to leave out (None: nothing), fits on other rows, and gives the probabilities of these.
        is_positive: shape (n_rows,), what happened.
        features: to leave out, one after the other.
        resamples: of these rows.

    Returns:
        one for each feature, in nats a row; below 0 the model is better off without it.
    """
    whole = row_log_loss(is_positive, fit(None))
    return [
        _mean_with_interval(ABLATION, name, row_log_loss(is_positive, fit(name)) - whole, resamples)
        for name in features
    ]


def mutual_information(
    frame: pd.DataFrame, is_positive: Flags, features: Sequence[str], resamples: Resamples
) -> list[Importance]:
    """Say how much each feature alone tells about the label: numbers in ten bins of equal count, missing is a value.

    I = sum over (bin, class) of p(bin, class) ln(p(bin, class) / (p(bin) p(class))), less (bins - 1) / (2 n): that
    much a feature that says nothing would show by chance.

    Returns:
        one for each feature, in nats; ln 2 is a feature that knows the answer of two equally frequent classes.

    Source: Shannon 1948, section 12; Miller 1955 for the correction.
    """
    found = []
    for name in features:
        codes = bin_values(frame[name])
        cells = np.eye(2 * (int(codes.max(initial=0)) + 1))[2 * codes + is_positive]
        value = float(_information(cells.sum(axis=0)[None, :])[0])
        low, high = resamples.interval(value, _information(resamples.total(cells)))
        found.append(Importance(MUTUAL_INFORMATION, name, value, low, high))
    return found


def l1_path_importance(
    encoded: "sparse.csr_array[np.float64] | Probabilities", is_positive: Flags, features: Sequence[str]
) -> list[Importance]:
    """Say how early each feature enters a linear model as its L1 penalty is relaxed.

    Args:
        encoded: shape (n_rows, n_columns), columns of comparable scale.
        features: shape (n_columns,), the feature of each column; a feature enters with its first column.

    Returns:
        one for each feature: the penalty at which it enters, as a share of the one that keeps all out. 1 is first; 0
        has not entered at a hundredth of it.

    Source: Tibshirani 1996; the path as in Park and Hastie 2007.
    """
    entered = dict.fromkeys(features, 0.0)
    y = is_positive.astype(np.int64)
    matrix = sparse.csr_array(encoded)
    start = l1_min_c(matrix, y, loss="log")
    for share in np.geomspace(0.9, WEAKEST_PENALTY, N_PENALTIES):
        # liblinear wants 32-bit indices, and its start is exact: no draw decides what enters.
        model = LogisticRegression(l1_ratio=1.0, C=start / share, solver="liblinear", max_iter=200, random_state=0)
        model.fit(matrix, y)
        for name in {features[int(place)] for place in np.flatnonzero(model.coef_.ravel())}:
            entered[name] = entered[name] or float(share)
    return [Importance(L1_PATH, name, value, None, None) for name, value in entered.items()]


def bin_values(column: "pd.Series[Any]") -> NDArray[np.int64]:
    """Put values into bins: categories as they are, numbers by tenths of the rows; missing is a bin of its own, 0.

    Returns:
        shape (n_rows,), from 0.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, dtype=np.int64) + 1
    values = column.to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="left") + 1)


def _information(cells: Probabilities) -> Probabilities:
    """Give the mutual information of bins and classes.

    Args:
        cells: shape (n, 2 * n_bins), rows counted by bin and class, in each of n resamples.
    """
    counts = cells.reshape(len(cells), cells.shape[1] // 2, 2)  # n may be 0: rows of one block have no resample
    total = counts.sum(axis=(1, 2), keepdims=True)
    joint = counts / total
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=2, keepdims=True)
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    n_seen = (counts.sum(axis=2) > 0).sum(axis=1)
    by_chance = (n_seen - 1) / (2 * total.ravel())
    return np.asarray((joint * np.log(ratio)).sum(axis=(1, 2)) - by_chance)


def _mean_with_interval(method: str, feature: str, per_row: Probabilities, resamples: Resamples) -> Importance:
    """Average a difference over the rows, and give the ends of its interval."""
    mean = estimate_mean(per_row, resamples)
    return Importance(method, feature, mean.value, mean.low, mean.high)
