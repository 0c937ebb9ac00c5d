"""Which rows tell how far a model is off now."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from include.learning.quantity.conformal import offsets_of
from include.learning.quantity.following import (
    LEAST_ROWS,
    MOST_ROWS,
    follow,
    follow_partitions,
    is_enough,
    newest_rows,
    spread_offsets,
)
from include.learning.quantity.levels import Levels

LEVELS = Levels("squared", 0.9, 0.5)
START = datetime(2013, 3, 1, tzinfo=UTC)


def moments_of(n_rows, minutes):
    return pd.Series([START + timedelta(minutes=minutes * at) for at in range(n_rows)])


def test_a_week_counts_where_it_has_many_rows():
    moments = moments_of(5_000, 5)  # 2,016 rows a week
    places = newest_rows(moments, moments.iloc[-1].to_pydatetime())
    assert len(places) == 2_017
    assert places[0] == 4_999


def test_where_a_week_has_few_rows_older_ones_count_too():
    moments = moments_of(5_000, 60)  # 168 rows a week
    assert len(newest_rows(moments, moments.iloc[-1].to_pydatetime())) == LEAST_ROWS
    assert len(newest_rows(moments[:300], moments.iloc[-1].to_pydatetime())) == 300


def test_nothing_later_than_the_moment_is_known():
    moments = moments_of(100, 60)
    places = newest_rows(moments, moments.iloc[49].to_pydatetime())
    assert sorted(places) == list(range(50))
    assert follow(LEVELS, np.zeros((100, 4)), np.arange(100.0), moments, moments.iloc[10].to_pydatetime()) is None


def test_never_more_than_the_newest_are_taken():
    moments = moments_of(MOST_ROWS + 100, 0)
    assert len(newest_rows(moments, START)) == MOST_ROWS
    assert is_enough(moments, START)


def test_a_week_of_a_thousand_rows_is_enough_and_less_is_not():
    moments = moments_of(3_000, 5)
    until = moments.iloc[-1].to_pydatetime()
    assert is_enough(moments, until)
    assert not is_enough(moments[1_500:], until)
    assert not is_enough(moments_of(500, 60), START + timedelta(hours=500))


def test_each_partition_follows_what_was_known_before_it_and_its_lag():
    moments = moments_of(4 * 24 * 20, 3)  # 480 rows a day, four days
    day = moments.dt.day.to_numpy().astype(str).astype(object)
    actual = np.where(day == "1", 0.0, np.where(day == "2", 10.0, 20.0)) + np.tile([-1.0, 1.0], len(day) // 2)
    is_asked = np.isin(day, ["3", "4"])
    said = np.zeros((len(day), 4))
    found = follow_partitions(LEVELS, said, actual, moments, day, is_asked, timedelta(0))
    known = np.isin(day, ["1", "2"])
    assert found[0].tolist() == offsets_of(LEVELS, said[known], actual[known]).tolist()
    late = follow_partitions(LEVELS, said, actual, moments, day, is_asked, timedelta(days=1))
    first = day == "1"
    assert late[0].tolist() == offsets_of(LEVELS, said[first], actual[first]).tolist()


def test_rows_get_the_offsets_of_their_partition():
    by_partition = {"a": np.zeros(4), "b": np.ones(4)}
    assert spread_offsets(by_partition, np.array(["b", "a"], dtype=object)).tolist() == [[1.0] * 4, [0.0] * 4]
    assert spread_offsets({}, np.array([], dtype=object)).shape == (0, 4)
