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
from scipy import stats

from include.learning.evaluation.fairness import MISSING
from include.learning.protocols import Flags, Numbers, Probabilities
from include.stats.block_means import Difference, compare_means
from include.stats.column_bins import name_apart

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


def find_weak_segments(frame: pd.DataFrame, loss: Probabilities, blocks: Numbers) -> list[Segment]:
    """Compare the loss in each value or interval of each column with the loss everywhere else.

    Args:
        frame: held-out rows; numbers are cut into fifths, other columns are taken by value.
        loss: shape (n_rows,), log loss of each row, in nats. A row without one (`rows_without_loss`) is in no segment.
        blocks: shape (n_rows,), day or group of each row; rows of one hang together, and count as one draw.

    Returns:
        every segment with at least 30 rows and 2 % of them from at least 2 blocks, inside as well as outside, the
        largest excess first; empty where no column can be cut.

    Source: `compare_means` for the comparison (one-sided); Benjamini and Yekutieli 2001 for the correction: segments
        overlap, so their tests are not independent.
    """
    has_loss = ~rows_without_loss(loss)
    frame, loss, blocks = frame[has_loss], loss[has_loss], blocks[has_loss]
    smallest = max(MINIMUM_ROWS, int(np.ceil(MINIMUM_SHARE * len(frame))))
    found: list[tuple[str, str, Flags, Difference]] = []
    for name in frame.columns:
        for segment, is_in in cut_column(frame[name], smallest):
            if is_in.sum() >= smallest and (~is_in).sum() >= smallest:
                excess = compare_means(loss, is_in, blocks)
                if excess is not None:
                    found.append((str(name), segment, is_in, excess))
    if not found:
        return []
    q_values = stats.false_discovery_control([excess.p_value for *_, excess in found], method="by")
    segments = [
        Segment(
            name,
            segment,
            int(is_in.sum()),
            float(loss[is_in].mean()),
            excess.value,
            excess.low,
            excess.high,
            excess.p_value,
            q_value=float(q),
            is_weak=bool(q <= FALSE_DISCOVERY_RATE),
        )
        for (name, segment, is_in, excess), q in zip(found, q_values, strict=True)
    ]
    return sorted(segments, key=lambda one: (-one.excess_nats, one.feature, one.segment))


def rows_without_loss(loss: Probabilities) -> Flags:
    """Say which rows have no loss, because the model gave no probability for them: shape (n_rows,)."""
    return np.asarray(~np.isfinite(loss), dtype=np.bool_)


def cut_column(column: "pd.Series[Any]", smallest: int = 1) -> Iterator[tuple[str, Flags]]:
    """Cut a column into segments: each of few values, or fifths of the rows; missing is one of its own.

    A number that a fifth of the rows share is a segment of its own, and the others are cut into fifths of the rest: of
    a column that is 0 in nine of ten rows fifths of all rows would be one segment.

    Args:
        smallest: rows that a segment needs to be looked at; what is left beside common values is cut into fewer parts
            where fifths would be smaller.

    Yields:
        (name of the segment, shape (n_rows,) whether a row is in it); a column with one value gives one segment. No two
        names are the same, and every row is in exactly one segment, but for rare values beyond the twentieth.
    """
    is_missing = column.isna().to_numpy(dtype=np.bool_)
    if is_missing.any():
        yield name_apart(MISSING, column.dropna().astype("object").map(str).unique().tolist()), is_missing
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number and column.nunique() > N_INTERVALS:
        yield from _cut_numbers(column.to_numpy(dtype=np.float64, na_value=np.nan), is_missing, smallest)
        return
    texts = column.astype("object").map(str).to_numpy(dtype=object)
    names = pd.Series(texts[~is_missing]).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    for name in names.index[:MAX_VALUES]:
        yield str(name), np.asarray((texts == name) & ~is_missing)


def _cut_numbers(values: Probabilities, is_missing: Flags, smallest: int) -> Iterator[tuple[str, Flags]]:
    """Cut numbers by values that many rows share, and the others by fifths."""
    known, counts = np.unique(values[~is_missing], return_counts=True)
    heavy = known[counts * N_INTERVALS >= counts.sum()]
    is_heavy = np.isin(values, heavy)
    rest = values[~is_missing & ~is_heavy]
    n_parts = min(N_INTERVALS, max(1, len(rest) // smallest))
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, n_parts + 1))) if len(rest) else np.empty(0)
    if len(edges) == 1:
        edges = np.repeat(edges, 2)
    written = write_numbers(np.unique(np.concatenate([heavy, edges])))
    for value in heavy:
        yield f"= {written[float(value)]}", values == value
    for place, (low, high) in enumerate(pairwise(edges)):
        is_above = values >= low if place == 0 else values > low
        name = f"{written[float(low)]} {'to' if place == 0 else '<'} {written[float(high)]}"
        yield name, is_above & (values <= high) & ~is_heavy


def write_numbers(numbers: Probabilities) -> dict[float, str]:
    """Write different numbers so that they look different, in at least six digits and no more than that takes."""
    for n_digits in range(6, 18):
        written = {float(number): f"{number:.{n_digits}g}" for number in numbers}
        if len(set(written.values())) == len(written):
            break
    return written
