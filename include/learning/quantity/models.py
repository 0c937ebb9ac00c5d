"""The model of a quantity that serves: a forecast, moved so that its interval holds, and what was planned before it.

What belongs here: what is stored. What does not: fitting (`fit_quantity.py`).
"""

from typing import Protocol

import pandas as pd
from sklearn.base import BaseEstimator

from include.learning.protocols import Probabilities
from include.learning.quantity.levels import Answers
from include.learning.quantity.seasons import SeasonalNaive


class Forecast(Protocol):
    """A fitted forecast: frame with the calendar in, numbers of shape (n_rows, 4) out."""

    def predict(self, frame: pd.DataFrame) -> Probabilities:
        """Give the prediction, both ends and the action of each row."""


class QuantityModel(BaseEstimator):  # type: ignore[misc]
    """A fitted forecast and its offsets.

    Args:
        forecast: says the prediction, both ends and the action.
        offsets: shape (4,), from `conformal.offsets_of`.
        before: the seasonal naive forecast, whose action is what people would plan without a model.
        fitted_through: last partition that the forecast was fitted on; later ones tell how far it is off.
    """

    def __init__(
        self, forecast: Forecast, offsets: Probabilities, before: SeasonalNaive, fitted_through: str = ""
    ) -> None:
        self.forecast = forecast
        self.offsets = offsets
        self.before = before
        self.fitted_through = fitted_through

    def __sklearn_is_fitted__(self) -> bool:
        """Say that all parts come fitted."""
        return True

    def answer(self, frame: pd.DataFrame, offsets: Probabilities | None = None) -> Answers:
        """Say the numbers of each row.

        Args:
            frame: features, and the calendar of `seasons.add_calendar`.
            offsets: shape (4,) or (n_rows, 4), newer ones; its own where None.
        """
        return Answers.from_table(self.forecast.predict(frame) + (self.offsets if offsets is None else offsets))

    def plan_before(self, frame: pd.DataFrame) -> Probabilities:
        """Say what would have been planned without a model: shape (n_rows,)."""
        return Answers.from_table(self.before.predict(frame)).action
