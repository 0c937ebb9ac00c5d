"""Hour and weekday of a row's event: what a seasonal naive forecast goes by, and what people did before any model.

What belongs here: reading the calendar from event times, and the forecast by it. All in UTC, as event times are.
"""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from include.learning.protocols import Numbers, Probabilities

HOUR, WEEKDAY, MOMENT = "_hour", "_weekday", "_moment"
CALENDAR = (HOUR, WEEKDAY, MOMENT)
N_HOURS, N_DAYS = 24, 7
# A quantile of fewer rows says nothing; the newest ones count, so that a level which rises is followed.
LEAST_ROWS, MOST_ROWS = 20, 400


def add_calendar(frame: pd.DataFrame, event_at: "pd.Series[pd.Timestamp]") -> pd.DataFrame:
    """Put hour (0..23), weekday (0 is Monday) and the moment in seconds since 1970 beside a feature frame."""
    moments = pd.to_datetime(event_at, utc=True)
    calendar = {
        HOUR: moments.dt.hour.to_numpy(dtype=np.float64),
        WEEKDAY: moments.dt.day_of_week.to_numpy(dtype=np.float64),
        MOMENT: moments.dt.as_unit("s").astype("int64").to_numpy(dtype=np.float64),
    }
    return frame.assign(**calendar)


def quantiles_of(actual: Probabilities, quantiles: tuple[float | None, ...]) -> Probabilities:
    """Give quantiles of numbers, None for their mean: shape (n_quantiles,)."""
    return np.array([actual.mean() if one is None else np.quantile(actual, one) for one in quantiles])


class ConstantForecast(BaseEstimator):  # type: ignore[misc]
    """The dummy: every row gets the same numbers.

    Args:
        quantiles: of the numbers that it says; None is the mean.
    """

    def __init__(self, quantiles: tuple[float | None, ...]) -> None:
        self.quantiles = quantiles

    def fit(self, frame: pd.DataFrame, actual: Probabilities) -> Self:  # noqa: ARG002 - as scikit-learn asks
        """Take the quantiles of all rows."""
        self.said_ = quantiles_of(actual, self.quantiles)
        return self

    def predict(self, frame: pd.DataFrame) -> Probabilities:
        """Give every row the same: shape (n_rows, n_quantiles)."""
        return np.tile(self.said_, (len(frame), 1))


class SeasonalNaive(BaseEstimator):  # type: ignore[misc]
    """A row gets what earlier rows of its hour and weekday had: the newest 400 of them.

    Of an hour and weekday with fewer than 20 rows those of the hour are asked, then those of the weekday, then all.

    Args:
        quantiles: of the numbers that it says; None is the mean.

    Source: Hyndman and Athanasopoulos 2021, Forecasting, section 5.2, with quantiles for the last value.
    """

    def __init__(self, quantiles: tuple[float | None, ...]) -> None:
        self.quantiles = quantiles

    def fit(self, frame: pd.DataFrame, actual: Probabilities) -> Self:
        """Take the quantiles of each hour and weekday."""
        newest = np.argsort(-frame[MOMENT].to_numpy(dtype=np.float64), kind="stable")
        hour, day = (frame[name].to_numpy(dtype=np.int64)[newest] for name in (HOUR, WEEKDAY))
        actual = np.asarray(actual, dtype=np.float64)[newest]
        by_cell = self._by_season(hour * N_DAYS + day, N_HOURS * N_DAYS, actual).reshape(N_HOURS, N_DAYS, -1)
        by_hour = self._by_season(hour, N_HOURS, actual)[:, None, :]
        by_day = self._by_season(day, N_DAYS, actual)[None, :, :]
        everything = quantiles_of(actual[: MOST_ROWS * N_DAYS], self.quantiles)
        for other in (by_hour, by_day, everything):
            by_cell = np.where(np.isnan(by_cell), other, by_cell)
        self.said_ = by_cell
        return self

    def predict(self, frame: pd.DataFrame) -> Probabilities:
        """Give every row the numbers of its hour and weekday: shape (n_rows, n_quantiles)."""
        hour, day = (frame[name].to_numpy(dtype=np.int64) for name in (HOUR, WEEKDAY))
        return np.asarray(self.said_[hour, day], dtype=np.float64)

    def _by_season(self, season: Numbers, n_seasons: int, actual: Probabilities) -> Probabilities:
        """Take the quantiles of each season: shape (n_seasons, n_quantiles), NaN for one with too few rows."""
        found = np.full((n_seasons, len(self.quantiles)), np.nan)
        order = np.argsort(season, kind="stable")  # within a season the newest stay first
        ends = np.searchsorted(season[order], np.arange(n_seasons + 1))
        for place in range(n_seasons):
            own = actual[order[ends[place] : ends[place + 1]][:MOST_ROWS]]
            if len(own) >= LEAST_ROWS:
                found[place] = quantiles_of(own, self.quantiles)
        return found
