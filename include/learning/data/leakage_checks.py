"""Looks at training rows before a model does: what cannot teach, and what teaches too well.

What belongs here: refusing rows, and measuring single features. What does not: reading rows, and what the gate makes of
a suspicion.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.errors import NotEnoughLabels
from include.learning import metrics
from include.learning.errors import BadFeatures, BadLabels
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features


def require_both_classes(is_positive: NDArray[np.bool_], what_for: str) -> None:
    """Refuse rows that hold one class only.

    Raises:
        NotEnoughLabels: the message says how many rows there are and of which class.
    """
    n_positive = int(is_positive.sum())
    if n_positive in (0, len(is_positive)):
        raise NotEnoughLabels(
            f"{n_positive:,} of {len(is_positive):,} rows to {what_for} are positive; a model needs both classes. "
            "Take more data, or look at label.positive_when."
        )


def teaching_features(rows: pd.DataFrame, features: Features) -> tuple[Features, list[str]]:
    """Leave out features that can teach nothing in these rows: without any value, or with one and the same.

    Args:
        rows: rows to fit on.

    Returns:
        (the features that stay, with their directions; a sentence for each that does not).

    Raises:
        BadFeatures: none stays, or one holds what no model can use; names every such feature, where it stands in the
            problem file, and what to do.
    """
    faults, left_out = [], {}
    for kind in ("numeric", "categorical", "text"):
        for name in getattr(features, kind):
            if fault := _fault_of(rows[name], is_number=kind == "numeric"):
                faults.append(f"{name!r} (training.features.{kind}) {fault}")
            elif idle := _idleness_of(rows[name]):
                left_out[name] = f"{name!r} (training.features.{kind}) {idle}"
    n_features = len(features.numeric) + len(features.categorical) + len(features.text)
    if faults or len(left_out) == n_features:
        raise BadFeatures(
            f"{len(faults) + len(left_out)} of {n_features} features can teach nothing in {len(rows):,} rows to fit "
            f"on: {'; '.join([*faults, *left_out.values()])}. Remove them from the problem file, or look at why the "
            "log brings them so."
        )
    kept = {kind: [name for name in names if name not in left_out] for kind, names in features.model_dump().items()}
    said = [f"{fault} of {len(rows):,} to fit on, so this version does without it." for fault in left_out.values()]
    return features.model_copy(update=kept), said


def require_one_label_each(rows: pd.DataFrame, is_positive: str) -> None:
    """Refuse rows of one key that have different labels: nobody knows which of them is true.

    Args:
        rows: training rows.
        is_positive: name of the column with the label.

    Raises:
        BadLabels: names how many keys, the first, and where its rows lie.
    """
    spread = rows.groupby(ROW_KEY, sort=True)[is_positive].nunique()
    torn = spread.index[spread > 1]
    if len(torn):
        where = ", ".join(sorted(rows.loc[rows[ROW_KEY] == torn[0], PARTITION_KEY].unique()))
        raise BadLabels(
            f"{len(torn):,} of {len(spread):,} items have labels that contradict each other (first: {torn[0]!r} in "
            f"partitions {where}). Allowed is one label for an item. Mend the log, or let source.key tell rows apart."
        )


def single_feature_auc(rows: pd.DataFrame, features: Features, is_positive: NDArray[np.bool_]) -> dict[str, float]:
    """Say how well each feature ranks the rows all by itself; one that ranks too well gives the label away.

    A category ranks by its share of positives in every other row, measured on the rows between; a missing value is
    tried as the smallest and as the largest, because what is missing may be what gives the label away.

    Args:
        rows: rows to fit on.
        is_positive: shape (n_rows,), both classes.

    Returns:
        feature to AUC, 0.5..1, whichever direction; features that are text have none.
    """
    return {
        **{name: _number_auc(rows[name], is_positive) for name in features.numeric},
        **{name: _category_auc(rows[name], is_positive) for name in features.categorical},
    }


def variance_inflation(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """Say how much each number's coefficient is blurred because the other numbers tell the same.

    VIF = 1 / (1 - R^2) of a number regressed on the others = the diagonal of the inverse correlation matrix.

    Args:
        frame: numbers, missing as NaN, which are filled with the column's mean.
        names: columns to look at.

    Returns:
        name to VIF, at least 1; infinite where the others give a number exactly.

    Source: Marquardt 1970; the identity is in Belsley, Kuh and Welsch 1980, section 3.
    """
    if not names:
        return {}
    values = frame[list(names)].fillna(frame[list(names)].mean()).to_numpy(dtype=np.float64)
    spread = values.std(axis=0)
    correlations = np.corrcoef(values[:, spread > 0], rowvar=False).reshape(int((spread > 0).sum()), -1)
    found = dict.fromkeys(names, 1.0)
    if correlations.size:
        is_singular = np.linalg.cond(correlations) > 1e12
        diagonal = np.diag(np.linalg.pinv(correlations, hermitian=True) if is_singular else np.linalg.inv(correlations))
        explained = _explained_exactly(correlations) if is_singular else np.zeros(len(diagonal), dtype=bool)
        for name, value, is_exact in zip(np.array(names)[spread > 0], diagonal, explained, strict=True):
            found[str(name)] = np.inf if is_exact else max(float(value), 1.0)
    return found


def _fault_of(column: "pd.Series[Any]", *, is_number: bool) -> str:
    """Say why no model can use a column; empty where one can."""
    known = column.dropna()
    if is_number and not known.empty:
        try:
            values = known.to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            return f"holds {column.dtype}, not numbers"
        if np.isinf(values).any():
            return f"is infinite in {int(np.isinf(values).sum()):,} rows"
    return ""


def _idleness_of(column: "pd.Series[Any]") -> str:
    """Say why a column tells no row from another; empty where it does."""
    known = column.dropna()
    if known.empty:
        return "is missing in every row"
    if len(known) == len(column) > 1 and known.nunique() == 1:
        value = known.iloc[0]
        return f"is {value!r} in every row" if isinstance(value, str) else f"is {value} in every row"
    return ""


def _number_auc(column: "pd.Series[Any]", is_positive: NDArray[np.bool_]) -> float:
    """Give the better AUC of a number and its mirror, with missing values at either end."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    low, high = (known.min() - 1, known.max() + 1) if len(known) else (0.0, 0.0)
    return max(_auc(is_positive, np.where(np.isnan(values), fill, values)) for fill in (low, high))


def _category_auc(column: "pd.Series[Any]", is_positive: NDArray[np.bool_]) -> float:
    """Give the AUC of each category's share of positives, learned on every other row."""
    named = column.astype("object").where(column.notna(), "").astype(str).to_numpy()
    is_taught = np.arange(len(named)) % 2 == 0
    taught = pd.Series(is_positive[is_taught].astype(np.float64)).groupby(named[is_taught]).mean()
    scores = pd.Series(named[~is_taught]).map(taught).fillna(is_positive.mean()).to_numpy(dtype=np.float64)
    return _auc(is_positive[~is_taught], scores)


def _auc(is_positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Give the AUC of scores or their mirror, whichever ranks better; 0.5 where there is one class only."""
    value = metrics.auc(is_positive, scores)
    return 0.5 if np.isnan(value) else max(value, 1 - value)


def _explained_exactly(correlations: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which columns the others give exactly: those that have a part in a direction without any spread."""
    values, vectors = np.linalg.eigh(correlations)
    empty = vectors[:, values < 1e-10 * values.max()]
    return np.asarray((np.abs(empty) > 1e-6).any(axis=1))
