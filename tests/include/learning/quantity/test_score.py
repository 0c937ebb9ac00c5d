"""The train stage and scoring of a quantity, on a real lake and a real warehouse."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from include.lake.reading import open_rows
from include.learning import steps
from include.names import predictions_table
from include.warehouse.tables.classes import FILLED_LABEL
from include.warehouse.tables.learning import GATE_CHECK, MODEL_CHOICE, MODEL_METRIC, MODEL_VERSION
from tests.include.learning.quantity.conftest import BIKES, DAYS, POINT, make_bikes


def read(house: Any, table: Any) -> list[dict[str, Any]]:
    with house.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def train(key: str) -> dict[str, Any]:
    plan = steps.plan_training(problem="bikes", partition_key=key)
    fitted = steps.fit_candidates(problem="bikes", partition_key=key, plan=plan)
    decided = steps.decide_promotion(problem="bikes", partition_key=key, fitted=fitted)
    steps.describe_model(problem="bikes", partition_key=key, fitted=fitted)
    return decided


def test_a_quantity_goes_from_file_to_filled_numbers(house, bikes):
    bikes(DAYS)
    decided = train(POINT)
    assert next(iter(decided["decisions"].values())) == "promoted", read(house, GATE_CHECK)
    scored = steps.score_partition(problem="bikes", partition_key=DAYS[36])
    assert scored["n_rows"] == 120
    rows = open_rows(predictions_table("bikes")).to_pyarrow().to_pandas()
    known = rows[rows["label_known"]]
    assert (rows["low"] < rows["high"]).all()
    assert 0.8 < ((known["actual"] >= known["low"]) & (known["actual"] <= known["high"])).mean() <= 1
    assert (rows["action"] > rows["predicted"]).mean() > 0.9  # too little costs three times as much
    truth = make_bikes(DAYS[36]).set_index("_key")["n_out"]
    assert np.allclose(known.set_index("_row_key")["actual"], truth[known["_row_key"]])
    filled = read(house, FILLED_LABEL)
    assert {row["item_id"] for row in filled} == set(truth.index[truth.isna()])
    assert all(row["unit"] == "bikes" and row["low"] < float(row["label"]) < row["high"] for row in filled)
    [version] = read(house, MODEL_VERSION)
    assert (version["threshold_ratio"], version["calibration"]) == (None, "conformal")
    assert {row["candidate"] for row in read(house, MODEL_CHOICE)} == set(BIKES["training"]["models"])
    assert {row["metric"] for row in read(house, MODEL_METRIC)} >= {"mae", "rmse", "coverage", "expected_profit"}


def test_scoring_again_after_later_days_came_changes_no_interval(house, bikes):
    bikes(DAYS[:37])
    train(POINT)
    steps.score_partition(problem="bikes", partition_key=DAYS[36])
    before = open_rows(predictions_table("bikes")).to_pyarrow().to_pandas().sort_values("_row_key")
    bikes(DAYS[37:])
    steps.score_partition(problem="bikes", partition_key=DAYS[36])
    after = open_rows(predictions_table("bikes")).to_pyarrow().to_pandas().sort_values("_row_key")
    assert np.array_equal(before["low"], after["low"])


def test_intervals_follow_a_world_that_became_wilder(house, bikes, publish):
    bikes(DAYS[:36])
    train(POINT)
    steps.score_partition(problem="bikes", partition_key=POINT)
    rng = np.random.default_rng(5)
    wild = [f"2013-03-{number}" for number in (10, 11, 12, 13)]
    for day in wild:
        rows = make_bikes(day, n_stations=20)
        publish("bikes", "_key", rows.assign(n_out=rows["n_out"] + rng.normal(0, 30, len(rows))), day)
    for day in (wild[0], wild[3]):
        steps.score_partition(problem="bikes", partition_key=day)
    rows = open_rows(predictions_table("bikes")).to_pyarrow().to_pandas()
    rows = rows[rows["label_known"]].assign(is_held=lambda own: own["actual"].between(own["low"], own["high"]))
    held = rows.groupby("_partition_key")["is_held"].mean()
    assert held[wild[0]] < 0.5
    assert held[wild[3]] > 0.8


@pytest.mark.parametrize("loss", ["absolute", "quantile"])
def test_the_loss_chooses_which_number_is_predicted(house, bikes, loss):
    label = BIKES["label"] | {"quantity": {"unit": "bikes", "loss": loss, "interval": 0.8}}
    training = BIKES["training"] | {"models": ["linear"]}
    bikes(DAYS, BIKES | {"label": label, "training": training})
    train(POINT)
    steps.score_partition(problem="bikes", partition_key=DAYS[36])
    rows = open_rows(predictions_table("bikes")).to_pyarrow().to_pandas()
    assert ((rows["action"] == rows["predicted"]).all()) == (loss == "quantile")
    held = rows[rows["label_known"]].assign(is_held=lambda own: own["actual"].between(own["low"], own["high"]))
    assert 0.7 < held["is_held"].mean() < 0.9
