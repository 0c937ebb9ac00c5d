"""Lets intervals follow the world: offsets are learned anew for each partition, on the newest rows known before it.

What belongs here: which rows those are, and the answers that follow. What does not: offsets (`conformal.py`), and
reading rows (`score.py`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning.protocols import Flags, Probabilities
from include.learning.quantity.conformal import offsets_of, rows_needed
from include.learning.quantity.levels import Levels

# A week, because days of a week differ, and so many rows that chance moves an end of 95 % by less than one of 100.
LEAST_PERIOD, LEAST_ROWS = timedelta(days=7), 1_000
MOST_ROWS = 20_000


def newest_rows(moments: "pd.Series[pd.Timestamp]", until: datetime) -> NDArray[np.intp]:
    """Choose the newest rows up to a moment: those of a week, and more where the week has fewer than 1,000.

    Args:
        moments: shape (n_rows,), when each row happened.
        until: rows that happened later are not known yet.

    Returns:
        places, newest first, at most 20,000.
    """
    seconds = _seconds(moments)
    order = np.argsort(-seconds, kind="stable")
    order = order[seconds[order] <= until.timestamp()][:MOST_ROWS]
    since = until.timestamp() - LEAST_PERIOD.total_seconds()
    n_of_week = int((seconds[order] >= since).sum())
    return order[: max(n_of_week, LEAST_ROWS)]


def is_enough(moments: "pd.Series[pd.Timestamp]", until: datetime) -> bool:
    """Say whether rows reach back a week and are 1,000: then older ones change nothing."""
    seconds = _seconds(moments)
    known = seconds[seconds <= until.timestamp()]
    is_week = bool((known < until.timestamp() - LEAST_PERIOD.total_seconds()).any())
    return len(known) >= MOST_ROWS or (len(known) >= LEAST_ROWS and is_week)


def follow(
    levels: Levels, said: Probabilities, actual: Probabilities, moments: "pd.Series[pd.Timestamp]", until: datetime
) -> Probabilities | None:
    """Learn offsets on the newest rows known at a moment: shape (4,); None where too few are known.

    Args:
        levels: which numbers are said.
        said: shape (n_rows, 4), of a forecast that was fitted on none of these rows.
        actual: shape (n_rows,), what came.
        moments: shape (n_rows,), when each row happened.
        until: rows that happened later are not known yet.

    Source: a rolling window of split conformal prediction; why it must roll, Gibbs and Candès 2021, Adaptive conformal
        inference under distribution shift.
    """
    places = newest_rows(moments, until)
    return offsets_of(levels, said[places], actual[places]) if len(places) >= rows_needed(levels) else None


def follow_partitions(
    levels: Levels,
    said: Probabilities,
    actual: Probabilities,
    moments: "pd.Series[pd.Timestamp]",
    partitions: NDArray[np.str_],
    is_asked: Flags,
    lag: timedelta,
) -> Probabilities:
    """Give rows of later partitions the offsets that would have been known before each: shape (n_asked, 4).

    Args:
        said, actual, moments: of all rows that the forecast was not fitted on, the asked ones among them.
        partitions: shape (n_rows,), of each row.
        is_asked: shape (n_rows,), rows that want offsets; those of the others are enough for the first of them.
        lag: how long after its event a label is known.
    """
    found: dict[str, Probabilities] = {}
    usual = offsets_of(levels, said[~is_asked], actual[~is_asked])
    for key in np.unique(partitions[is_asked]):
        begins = moments[(partitions == key) & is_asked].min().to_pydatetime()
        newest = follow(levels, said, actual, moments, begins - lag - timedelta(seconds=1))
        found[key] = usual if newest is None else newest
    return spread_offsets(found, partitions[is_asked])


def spread_offsets(by_partition: Mapping[str, Probabilities], partitions: NDArray[np.str_]) -> Probabilities:
    """Give each row the offsets of its partition: shape (n_rows, 4)."""
    if not len(partitions):
        return np.empty((0, 4))
    return np.vstack([by_partition[str(key)] for key in partitions])


def _seconds(moments: "pd.Series[pd.Timestamp]") -> Probabilities:
    """Give moments as seconds since 1970."""
    return pd.to_datetime(moments, utc=True).dt.as_unit("us").astype("int64").to_numpy(dtype=np.float64) / 1e6
