from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.columns import BLOCK, IS_POSITIVE
from include.learning.data.features import build_features, learn_features
from include.learning.explain import model_card_rows
from include.learning.explain.model_card_rows import Material
from include.learning.training import estimators
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features
from tests.include.learning.conftest import make_trips

FEATURES = Features(numeric=["rain_mm", "hour"], categorical=["line"])


@pytest.fixture
def material() -> Material:
    rows = make_trips("2013-01").assign(**{PARTITION_KEY: "2013-01"})
    rows[ROW_KEY] = rows["trip_id"]
    is_positive, spec = rows["delay_min"].to_numpy() > 15, learn_features(rows, FEATURES)
    frame = build_features(rows, spec)
    encoder = estimators.make_encoder("scorecard", spec, frame)
    classifier = estimators.make_classifier("scorecard", spec, FEATURES, 1)
    classifier.fit(encoder.fit_transform(frame), is_positive.astype(int))
    model = Pipeline([("encode", encoder), ("classify", Calibrated(classifier))])
    return Material(model, spec, rows, is_positive, np.arange(400) % 27, [7, 1])


def heldout_of(material: Material) -> pd.DataFrame:
    p = np.clip(np.linspace(0.05, 0.95, len(material.rows)), 0, 1)
    return pd.DataFrame({IS_POSITIVE: material.is_positive, "p_model": p, BLOCK: material.blocks})


def test_bins_count_every_row_once_and_one_belongs_to_the_last():
    bins = model_card_rows.reliability_bins(np.array([True, False, True, True]), np.array([0.05, 0.05, 0.95, 1.0]))
    assert [(row["bin_index"], row["n_rows"], row["n_positive"]) for row in bins] == [(0, 2, 1), (9, 2, 2)]
    assert (bins[1]["bin_low"], bins[1]["bin_high"], bins[1]["mean_predicted_ratio"]) == (0.9, 1.0, 0.975)


def test_what_rains_matters_most_by_every_question_and_places_are_shared_by_equals(material):
    rows, notes = model_card_rows.rank_features(material)
    assert notes == []
    assert {row["method"] for row in rows} == {
        "permutation",
        "ablation",
        "mutual_information",
        "l1_path",
        "contribution",
    }
    for method in ("permutation", "ablation", "mutual_information"):
        first = min((row for row in rows if row["method"] == method), key=lambda row: row["rank"])
        assert first["feature"] == "rain_mm"
        assert first["low"] < first["value"] < first["high"]


@pytest.mark.parametrize("is_positive", [np.ones(400, dtype=bool), np.zeros(400, dtype=bool)])
def test_rows_of_one_class_say_nothing_about_features_but_why(material, is_positive):
    rows, (note,) = model_card_rows.rank_features(replace(material, is_positive=is_positive))
    assert rows == []
    assert note["note"].endswith("are too few to say what matters. 20 rows of both classes are needed.")


def test_a_row_without_a_probability_is_named_and_no_segment_has_it(material):
    heldout = heldout_of(material)
    whole, nothing = model_card_rows.weak_segments(material.rows, material.spec, heldout)
    assert nothing == []
    heldout.loc[3, "p_model"] = np.nan
    found, (note,) = model_card_rows.weak_segments(material.rows, material.spec, heldout)
    assert note["note"] == "1 of 400 rows have no probability (first: 2013-01-00003); no segment has them."
    assert sum(row["n_rows"] for row in found if row["feature"] == "hour") == 399
    assert {row["feature"] for row in whole} == {"rain_mm", "hour", "line"}


def test_ranges_and_curves_start_from_what_is_usual(material):
    ranges = {row["feature"]: row for row in model_card_rows.feature_ranges(material.rows, material.spec)}
    assert ranges["hour"]["low"] == 5.0
    assert set(ranges["line"]["options"]) == {"red", "blue"}
    points = model_card_rows.curves(material)
    rain = [point["p_positive"] for point in points if point["feature"] == "rain_mm"]
    assert rain == sorted(rain)
    assert all(point["low"] <= point["p_positive"] <= point["high"] for point in points)
    assert model_card_rows.curves(replace(material, rows=material.rows.iloc[:0])) == []
