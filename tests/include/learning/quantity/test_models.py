"""What serves."""

import numpy as np
import pandas as pd

from include.learning.data.features import FeatureSpec
from include.learning.quantity.forecasts import make_forecast
from include.learning.quantity.models import QuantityModel
from include.learning.quantity.seasons import SeasonalNaive, add_calendar
from include.learning.registry.artifacts import StoredModel, load_model, save_model

QUANTILES = (None, 0.05, 0.95, 0.75)
SPEC = FeatureSpec(("x",), {"kind": ("a", "b")}, ())


def make_model(name):
    rng = np.random.default_rng(1)
    moments = pd.Series(pd.date_range("2013-03-01", periods=300, freq="h", tz="UTC"))
    kind = pd.Categorical(rng.choice(["a", "b"], 300), categories=["a", "b"])
    frame = add_calendar(pd.DataFrame({"x": rng.normal(size=300), "kind": kind}), moments)
    actual = frame["x"].to_numpy() + rng.normal(size=300)
    forecast = make_forecast(name, SPEC, frame, QUANTILES, 7).fit(frame, actual)
    naive = SeasonalNaive(QUANTILES).fit(frame, actual)
    return QuantityModel(forecast, np.array([0.0, -1.0, 1.0, 0.5]), naive, "2013-03-10"), frame


def test_every_candidate_is_stored_and_answers_as_before(tmp_path):
    for name in ("seasonal_naive", "linear", "gradient_boosting"):
        model, frame = make_model(name)
        path, digest = save_model(tmp_path, StoredModel(model, SPEC, f"{name}-abc123"))
        loaded = load_model(path, digest).model
        assert np.array_equal(loaded.answer(frame).to_table(), model.answer(frame).to_table())
        assert np.array_equal(loaded.plan_before(frame), model.plan_before(frame))
        assert loaded.fitted_through == "2013-03-10"


def test_newer_offsets_replace_its_own_row_by_row():
    model, frame = make_model("linear")
    raw = model.forecast.predict(frame)
    assert np.allclose(model.answer(frame).low, raw[:, 1] - 1.0)
    newer = np.tile([0.0, -2.0, 2.0, 0.0], (len(frame), 1))
    newer[0] = 0.0
    answers = model.answer(frame, newer)
    assert np.allclose(answers.low[1:], raw[1:, 1] - 2.0)
    assert answers.low[0] == raw[0, 1]
