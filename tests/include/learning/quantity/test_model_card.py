"""What matters to a model of a quantity."""

import numpy as np

from include.learning.quantity.model_card import rank_features
from include.learning.quantity.predict import read_frame
from include.learning.registry.artifacts import StoredModel
from tests.include.learning.quantity.conftest import make_rows


def test_warmth_matters_most_and_the_calendar_is_no_feature(fitted_bikes):
    stored = StoredModel(fitted_bikes.model, fitted_bikes.spec, "v")
    rows = make_rows(20)
    held = rows[rows["_partition_key"] == "2013-03-20"]
    ranked = rank_features(stored, read_frame(held, stored.spec), held, np.random.default_rng(0))
    assert ranked[0]["feature"] == "warmth_c"
    assert {row["feature"] for row in ranked} == {"warmth_c", "wind_ms", "size"}
    assert ranked[0]["value"] > 2
