"""How the probability moves, on average, when one feature is set to each of its usual values and nothing else changes.

What belongs here: a model and rows in, curves out. What does not: the promised directions (a check of the gate).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning.metrics import estimate_mean
from include.stats.bootstrap import Resamples

N_STEPS = 11
MAX_VALUES = 12


@dataclass(frozen=True)
class CurvePoint:
    """One step of a curve.

    Attributes:
        feature: column that is set.
        position: place on the curve, from 0.
        value: what it is set to, as text; numbers in at most six digits.
        p_positive: mean probability over the rows, 0..1.
        low: lower end of the 95 % interval of that mean, from resampled rows.
        high: upper end.
        n_rows: rows that were asked.
    """

    feature: str
    position: int
    value: str
    p_positive: float
    low: float
    high: float
    n_rows: int


def draw_curve(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]], frame: pd.DataFrame, name: str, resamples: Resamples
) -> list[CurvePoint]:
    """Set one feature to each of its usual values in every row, and average what the model says.

    Args:
        predict: feature frame to probabilities.
        frame: rows that stand for the data.
        name: column.
        resamples: of the rows.

    Returns:
        one point for each value of `usual_values`; empty for a feature that has none.

    Source: Friedman 2001, Greedy function approximation, section 8.2.
    """
    values = usual_values(frame[name])
    if not values:
        return []
    n_rows = len(frame)
    repeated = pd.concat([frame.assign(**{name: _constant(frame[name], value)}) for value in values])
    said = predict(repeated).reshape(len(values), n_rows)
    points = []
    for position, (value, p) in enumerate(zip(values, said, strict=True)):
        mean = estimate_mean(p, resamples)
        text = value if isinstance(value, str) else f"{value:.6g}"
        points.append(
            CurvePoint(
                name,
                position,
                text,
                mean.value,
                mean.value if mean.low is None else mean.low,
                mean.value if mean.high is None else mean.high,
                n_rows,
            )
        )
    return points


def usual_values(column: "pd.Series[Any]") -> list[Any]:
    """Name the values that a column usually has: tenths of the rows for numbers, the most frequent of categories.

    Returns:
        numbers in rising order, at most 11; or categories, the most frequent first, at most 12. Missing is no value.
    """
    known = column.dropna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        counts = known.astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        return [str(value) for value in counts.index[:MAX_VALUES]]
    numbers = known.to_numpy(dtype=np.float64)
    if not len(numbers):
        return []
    quantiles = np.quantile(numbers, np.linspace(0, 1, N_STEPS), method="nearest")
    return [float(value) for value in np.unique(quantiles)]


def _constant(column: "pd.Series[Any]", value: Any) -> Any:
    """Make a column of one value, of the same type."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Categorical([value] * len(column), categories=column.cat.categories)
    return np.full(len(column), value, dtype=np.float64)
