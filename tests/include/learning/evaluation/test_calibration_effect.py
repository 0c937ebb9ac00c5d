import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sqlalchemy import select

from include.learning import steps
from include.learning.calibration.selection import calibrate
from include.learning.data.features import FeatureSpec
from include.learning.evaluation import calibration_effect
from include.learning.registry.artifacts import StoredModel
from include.warehouse.tables.learning import CALIBRATION_GAIN
from tests.include.learning.test_steps import MONTHS, train


def test_by_hand_scores_that_are_twenty_points_too_high():
    happened = np.array([True] * 3 + [False] * 7)
    gain = calibration_effect.compare(happened, np.full(10, 0.3), np.full(10, 0.5))
    assert gain["ece_ratio"] == pytest.approx(0.0)
    assert gain["ece_uncalibrated_ratio"] == pytest.approx(0.2)
    assert gain["log_loss_nats"] == pytest.approx(-0.3 * np.log(0.3) - 0.7 * np.log(0.7))
    assert gain["log_loss_uncalibrated_nats"] == pytest.approx(np.log(2))


def test_with_the_calibrator_the_model_speaks_and_without_it_the_classifier():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    happened = rng.random(300) < 1 / (1 + np.exp(-x[:, 0]))
    classifier = LogisticRegression().fit(x, rng.random(300) < 0.5)
    model = calibrate(classifier, "sigmoid", classifier.predict_proba(x)[:, 1], happened)
    stored = StoredModel(
        Pipeline([("encode", FunctionTransformer()), ("classify", model)]), FeatureSpec(("x",), {}, ()), "v"
    )
    p, scores = calibration_effect.ask_twice(stored, x)
    assert p == pytest.approx(model.predict_proba(x)[:, 1])
    assert scores == pytest.approx(classifier.predict_proba(x)[:, 1])


def test_a_scored_partition_has_one_row_also_after_it_is_scored_again(house, trips):
    trips(MONTHS[:3])
    train("late", "2013-03")
    trips(["2013-04"])
    for _ in range(2):
        steps.score_partition(problem="late", partition_key="2013-04")
    with house.engine.connect() as connection:
        (row,) = connection.execute(select(CALIBRATION_GAIN)).mappings()
    assert row["partition_key"] == "2013-04"
    assert 350 < row["n_rows"] < 400  # one in twenty never arrived
    assert 0 <= row["ece_ratio"] < 0.2


def test_every_so_many_th_row_is_enough(house, trips, monkeypatch):
    trips(MONTHS[:3])
    version = train("late", "2013-03")["model_version"]
    trips(["2013-04"])
    monkeypatch.setattr(calibration_effect, "MAX_ROWS", 100)
    from include.problems.reading import load_problem

    assert 90 <= calibration_effect.record_effect(load_problem("late"), version, "2013-04") <= 100
