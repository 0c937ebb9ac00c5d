"""The candidates of a quantity that read features: how each is built, fitted and asked.

What belongs here: frame in, numbers of each quantile out. What does not: the forecasts by calendar (`seasons.py`), and
which candidate is chosen (`fit_quantity.py`).
"""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from include.learning.data.features import FeatureSpec
from include.learning.protocols import Encoder, Probabilities
from include.learning.quantity.seasons import SeasonalNaive, quantiles_of
from include.learning.training.estimators import N_TREES, make_encoder
from include.problems.sections.learning import ModelName

# Held a little: one-hot columns of a category add up to what the constant says already.
RIDGE = 1.0
# The spread of a row is never below this share of the usual one.
LEAST_SPREAD = 0.1

Quantiles = tuple[float | None, ...]
Forecast = "SeasonalNaive | LinearForecast | BoostedForecast"


class LinearForecast(BaseEstimator):  # type: ignore[misc]
    """A weighted sum for the middle, another for the spread around it, and the same quantiles of what is left.

    Quantiles of one row never cross, and it is fitted on any number of rows in a second, which a linear programme for
    each quantile is not.

    Args:
        encoder: unfitted; fills, scales and one-hot encodes the features.
        quantiles: of the numbers that it says; None is the mean.

    Source: He 1997, Quantile curves without crossing.
    """

    def __init__(self, encoder: Encoder, quantiles: Quantiles) -> None:
        self.encoder = encoder
        self.quantiles = quantiles

    def fit(self, frame: pd.DataFrame, actual: Probabilities) -> Self:
        """Fit the middle, the spread, and the quantiles of what is left in units of the spread."""
        encoded = self.encoder.fit_transform(frame)
        self.middle_ = Ridge(alpha=RIDGE).fit(encoded, actual)
        left = actual - self.middle_.predict(encoded)
        self.spread_ = Ridge(alpha=RIDGE).fit(encoded, np.abs(left))
        self.least_ = max(float(np.abs(left).mean()) * LEAST_SPREAD, np.finfo(np.float64).tiny)
        spread = np.maximum(self.spread_.predict(encoded), self.least_)
        self.left_ = quantiles_of(left / spread, self.quantiles)
        return self

    def predict(self, frame: pd.DataFrame) -> Probabilities:
        """Give the numbers of each row: shape (n_rows, n_quantiles)."""
        encoded = self.encoder.transform(frame)
        spread = np.maximum(self.spread_.predict(encoded), self.least_)
        return np.asarray(self.middle_.predict(encoded)[:, None] + spread[:, None] * self.left_, dtype=np.float64)


class BoostedForecast(BaseEstimator):  # type: ignore[misc]
    """Gradient boosting, one fit for each number: squared loss for the mean, pinball loss for a quantile.

    Args:
        columns: of the frame that it reads.
        has_categories: whether some of them are categories.
        quantiles: of the numbers that it says; None is the mean.
        seed: fixes every choice of chance.

    Source: Friedman 2001; Koenker and Bassett 1978 for the loss.
    """

    def __init__(self, columns: list[str], quantiles: Quantiles, seed: int, *, has_categories: bool) -> None:
        self.columns = columns
        self.has_categories = has_categories
        self.quantiles = quantiles
        self.seed = seed

    def fit(self, frame: pd.DataFrame, actual: Probabilities) -> Self:
        """Fit each different number once."""
        asked = list(dict.fromkeys(self.quantiles))
        self.places_ = [asked.index(one) for one in self.quantiles]
        self.models_ = [self._make(one).fit(frame[self.columns], actual) for one in asked]
        return self

    def predict(self, frame: pd.DataFrame) -> Probabilities:
        """Give the numbers of each row: shape (n_rows, n_quantiles)."""
        said = np.column_stack([model.predict(frame[self.columns]) for model in self.models_])
        return np.asarray(said[:, self.places_], dtype=np.float64)

    def _make(self, quantile: float | None) -> HistGradientBoostingRegressor:
        """Make the part for one number, unfitted."""
        asked = {"loss": "squared_error"} if quantile is None else {"loss": "quantile", "quantile": quantile}
        return HistGradientBoostingRegressor(
            **asked,
            categorical_features="from_dtype" if self.has_categories else None,
            early_stopping=False,
            max_iter=N_TREES,
            random_state=self.seed,
        )


def make_forecast(
    name: ModelName, spec: FeatureSpec, frame: pd.DataFrame, quantiles: Quantiles, seed: int
) -> "SeasonalNaive | LinearForecast | BoostedForecast":
    """Make one candidate, unfitted.

    Args:
        name: seasonal_naive, linear or gradient_boosting.
        spec: what the frame holds beside the calendar.
        frame: of the rows that it will be fitted on.
        quantiles: of the numbers that it says; None is the mean.
        seed: fixes every choice of chance.
    """
    if name == "seasonal_naive":
        return SeasonalNaive(quantiles)
    if name == "linear":
        return LinearForecast(make_encoder("scorecard", spec, frame), quantiles)
    return BoostedForecast(spec.names, quantiles, seed, has_categories=bool(spec.categories))
