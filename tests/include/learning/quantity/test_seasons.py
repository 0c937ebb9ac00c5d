"""What people plan by hour and weekday."""

import numpy as np
import pandas as pd
import pytest

from include.learning.quantity.seasons import (
    LEAST_ROWS,
    MOST_ROWS,
    ConstantForecast,
    SeasonalNaive,
    add_calendar,
)

MONDAY = pd.Timestamp("2013-03-04T00:00:00Z")


def frame_of(moments):
    return add_calendar(pd.DataFrame(index=range(len(moments))), pd.Series(moments))


def test_hour_and_weekday_are_those_of_utc():
    frame = frame_of([pd.Timestamp("2013-03-04T23:30:00-05:00")])
    assert frame[["_hour", "_weekday"]].to_numpy().tolist() == [[4.0, 1.0]]
    assert frame["_moment"].tolist() == [pd.Timestamp("2013-03-05T04:30:00Z").timestamp()]


def test_an_hour_of_a_weekday_gets_what_it_had_and_others_fall_back():
    own = [MONDAY + pd.Timedelta(hours=9)] * LEAST_ROWS
    other = [MONDAY + pd.Timedelta(days=1, hours=9)] * LEAST_ROWS
    few = [MONDAY + pd.Timedelta(hours=15)] * 3
    actual = np.array([10.0] * LEAST_ROWS + [20.0] * LEAST_ROWS + [99.0] * 3)
    naive = SeasonalNaive((None,)).fit(frame_of([*own, *other, *few]), actual)
    asked = frame_of([own[0], other[0], MONDAY + pd.Timedelta(days=2, hours=9), few[0], MONDAY + pd.Timedelta(days=3)])
    said = naive.predict(asked)[:, 0]
    assert said[:3].tolist() == [10.0, 20.0, 15.0]  # the weekday's own, and the hour's of every day
    assert said[3] == pytest.approx((10 * LEAST_ROWS + 99 * 3) / (LEAST_ROWS + 3))  # the day's, not three rows'
    assert said[4] == pytest.approx(actual.mean())


def test_only_the_newest_rows_of_a_season_count():
    moments = [MONDAY + pd.Timedelta(weeks=week) for week in range(MOST_ROWS + 50)]
    actual = np.arange(MOST_ROWS + 50, dtype=float)
    said = SeasonalNaive((0.0, 1.0)).fit(frame_of(moments), actual).predict(frame_of(moments[:1]))
    assert said.tolist() == [[50.0, MOST_ROWS + 49.0]]


def test_the_dummy_says_the_same_of_every_row():
    forecast = ConstantForecast((None, 0.5)).fit(frame_of([MONDAY] * 3), np.array([1.0, 2.0, 9.0]))
    assert forecast.predict(frame_of([MONDAY] * 2)).tolist() == [[4.0, 2.0], [4.0, 2.0]]
