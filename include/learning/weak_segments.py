"""Where a model is worse than elsewhere: one segment for each value or interval of each feature.

Many segments are looked at, and some look bad by chance: the false discovery rate is held over all of them. What
belongs here: loss per row and values in, segments out. What does not: why a segment is weak.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from include.learning.fairness import MISSING

N_INTERVALS = 5
MAX_VALUES = 20
FALSE_DISCOVERY_RATE = 0.05
MINIMUM_ROWS = 30
MINIMUM_SHARE = 0.02  # a segment below this is nobody's priority, and the smallest ones look worst by chance


@dataclass(frozen=True)
class Segment:
    """One segment, and how the model does in it.

    Attributes:
        feature: column it is cut by.
        segment: its value, or its interval.
        n_rows: held-out rows in it.
        loss_nats: mean log loss in it.
        excess_nats: that less the mean log loss of all other rows.
        low: lower end of the 95 % interval of the excess.
        high: upper end.
        p_value: chance to see this excess or more where there is none.
        q_value: p-value corrected for all segments that were looked at.
        is_weak: whether the excess holds at a false discovery rate of 5 %.
    """

    feature: str
    segment: str
    n_rows: int
    loss_nats: float
    excess_nats: float
    low: float
    high: float
    p_value: float
    q_value: float
    is_weak: bool


def find_weak_segments(frame: pd.DataFrame, loss: NDArray[np.float64]) -> list[Segment]:
    """Compare the loss in each value or interval of each column with the loss everywhere else.

    Args:
        frame: held-out rows; numbers are cut into fifths, other columns are taken by value.
        loss: shape (n_rows,), log loss of each row, in nats.

    Returns:
        every segment with at least 30 rows and 2 % of them, inside as well as outside, the largest excess first; empty
        where no column can be cut.

    Source: Welch 1947 for the comparison (one-sided), Benjamini and Yekutieli 2001 for the correction: segments
    overlap, so their tests are not independent.
    """
    smallest = max(MINIMUM_ROWS, int(np.ceil(MINIMUM_SHARE * len(frame))))
    found = []
    for name in frame.columns:
        for segment, is_in in cut_column(frame[name]):
            if is_in.sum() >= smallest and (~is_in).sum() >= smallest:
                found.append((str(name), segment, is_in))
    if not found:
        return []
    compared = [_compare(loss[is_in], loss[~is_in]) for _, _, is_in in found]
    q_values = stats.false_discovery_control([row[-1] for row in compared], method="by")
    segments = [
        Segment(name, segment, int(is_in.sum()), *row, q_value=float(q), is_weak=bool(q <= FALSE_DISCOVERY_RATE))
        for (name, segment, is_in), row, q in zip(found, compared, q_values, strict=True)
    ]
    return sorted(segments, key=lambda one: (-one.excess_nats, one.feature, one.segment))


def cut_column(column: "pd.Series[Any]") -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Cut a column into segments: each of few values, or fifths of the rows; missing is one of its own.

    Yields:
        (name of the segment, shape (n_rows,) whether a row is in it); a column with one value gives one segment.
    """
    is_missing = column.isna().to_numpy(dtype=np.bool_)
    if is_missing.any():
        yield MISSING, is_missing
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number and column.nunique() > N_INTERVALS:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        edges = np.unique(np.quantile(values[~is_missing], np.linspace(0, 1, N_INTERVALS + 1)))
        for place, (low, high) in enumerate(pairwise(edges)):
            is_first = place == 0
            is_above = values >= low if is_first else values > low
            yield f"{low:g} {'to' if is_first else '<'} {high:g}", is_above & (values <= high)
        return
    texts = column.astype("object").map(str).to_numpy(dtype=object)
    names = pd.Series(texts[~is_missing]).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    for name in names.index[:MAX_VALUES]:
        yield str(name), np.asarray((texts == name) & ~is_missing)


def _compare(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> tuple[float, float, float, float, float]:
    """Give mean loss inside, excess, the ends of its interval, and the one-sided p-value."""
    excess = float(inside.mean() - outside.mean())
    if inside.std() == 0.0 and outside.std() == 0.0:  # no spread, no doubt: t has no value
        return float(inside.mean()), excess, excess, excess, 0.0 if excess > 0 else 1.0
    test = stats.ttest_ind(inside, outside, equal_var=False, alternative="greater")
    both = stats.ttest_ind(inside, outside, equal_var=False).confidence_interval(0.95)
    return float(inside.mean()), excess, float(both.low), float(both.high), float(test.pvalue)
