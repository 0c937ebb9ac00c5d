"""The candidates that read features."""

import numpy as np
import pandas as pd
import pytest

from include.learning.data.features import FeatureSpec
from include.learning.quantity.forecasts import BoostedForecast, LinearForecast, make_forecast
from include.learning.quantity.seasons import SeasonalNaive

SPEC = FeatureSpec(("x",), {"kind": ("a", "b")}, ())
QUANTILES = (None, 0.05, 0.95, 0.75)


def make_frame(n_rows=1_500, seed=0):
    rng = np.random.default_rng(seed)
    x, is_b = rng.uniform(0, 10, n_rows), rng.random(n_rows) < 0.5
    kind = pd.Categorical(np.where(is_b, "b", "a"), categories=["a", "b"])
    actual = 3 * x + 5 * is_b + rng.normal(0, 1, n_rows) * (1 + x)
    return pd.DataFrame({"x": x, "kind": kind, "_hour": 0.0, "_weekday": 0.0, "_moment": 0.0}), actual


@pytest.mark.parametrize("name", ["linear", "gradient_boosting"])
def test_a_spread_that_grows_is_followed_and_quantiles_hold_their_share(name):
    frame, actual = make_frame()
    said = make_forecast(name, SPEC, frame, QUANTILES, 7).fit(frame, actual).predict(frame)
    width = said[:, 2] - said[:, 1]
    assert np.corrcoef(width, frame["x"])[0, 1] > 0.8
    assert np.mean(actual <= said[:, 2]) == pytest.approx(0.95, abs=0.03)
    assert np.mean(actual <= said[:, 3]) == pytest.approx(0.75, abs=0.05)
    assert said[:, 0].mean() == pytest.approx(actual.mean(), rel=0.02)


def test_a_missing_number_and_a_strange_category_are_answered():
    frame, actual = make_frame(200)
    asked = frame.head(1).assign(x=np.nan, kind=pd.Categorical([None], categories=["a", "b"]))
    for name in ("linear", "gradient_boosting"):
        said = make_forecast(name, SPEC, frame, QUANTILES, 7).fit(frame, actual).predict(asked)
        assert np.isfinite(said).all()


def test_each_name_makes_its_own_candidate():
    frame, _ = make_frame(10)
    made = [
        make_forecast(name, SPEC, frame, QUANTILES, 7) for name in ("seasonal_naive", "linear", "gradient_boosting")
    ]
    assert [type(one) for one in made] == [SeasonalNaive, LinearForecast, BoostedForecast]


def test_a_number_that_is_asked_for_twice_is_fitted_once():
    frame, actual = make_frame(100)
    fitted = BoostedForecast(["x"], (0.5, 0.1, 0.9, 0.5), 7, has_categories=False).fit(frame, actual)
    said = fitted.predict(frame)
    assert len(fitted.models_) == 3
    assert np.array_equal(said[:, 0], said[:, 3])
