"""The train stage, scoring and monitoring of several classes and labels, on a real lake and a real warehouse."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from include.lake.reading import open_rows
from include.learning import steps
from include.monitoring import steps as monitoring
from include.names import predictions_table
from include.warehouse.tables.classes import CLASS_CALIBRATION, CLASS_METRIC, CONFUSION, FILLED_LABEL
from include.warehouse.tables.learning import GATE_CHECK, MODEL_METRIC, MODEL_VERSION
from include.warehouse.tables.monitoring import FEATURE_DRIFT
from tests.include.learning.several.conftest import KINDS, MARKED, MARKS, PLANTS

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04", "2013-05"]


def read(house: Any, table: Any) -> list[dict[str, Any]]:
    with house.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def train(problem: str, key: str) -> dict[str, Any]:
    plan = steps.plan_training(problem=problem, partition_key=key)
    fitted = steps.fit_candidates(problem=problem, partition_key=key, plan=plan)
    decided = steps.decide_promotion(problem=problem, partition_key=key, fitted=fitted)
    steps.describe_model(problem=problem, partition_key=key, fitted=fitted)
    return decided


@pytest.mark.parametrize(("problem", "classes"), [(PLANTS, KINDS), (MARKED, MARKS)])
def test_several_classes_and_labels_go_from_file_to_alert(house, plants, problem, classes):
    name = problem["name"]
    plants(MONTHS, problem)
    decided = train(name, "2013-05")
    assert next(iter(decided["decisions"].values())) == "promoted", read(house, GATE_CHECK)
    scored = steps.score_partition(problem=name, partition_key="2013-05")
    assert scored["n_rows"] == 200
    rows = open_rows(predictions_table(name)).to_pyarrow().to_pandas()
    assert len(rows) == 200 * len(classes)
    if name == "plants":
        assert np.allclose(rows.groupby("_row_key")["p_positive"].sum(), 1.0)
    measured = monitoring.measure_partition(problem=name, partition_key="2013-05")
    assert measured["n_rows"] == 200
    monitoring.raise_alerts(problem=name, partition_key="2013-05")
    by_class = {row["class_name"]: row for row in read(house, CLASS_CALIBRATION)}
    assert set(by_class) == set(classes)
    assert all(row["n_labelled"] == rows["label_known"].sum() / len(classes) for row in by_class.values())
    filled = read(house, FILLED_LABEL)
    assert len(filled) == 200 - by_class[classes[0]]["n_labelled"]
    assert {row["class_name"] for row in read(house, CLASS_METRIC)} == set(classes)
    assert read(house, CONFUSION)
    assert {row["feature"] for row in read(house, FEATURE_DRIFT)} >= {f"p_positive: {one}" for one in classes}
    assert {row["metric"] for row in read(house, MODEL_METRIC)} >= {"macro_log_loss", "macro_f1", "expected_profit"}
    assert all(row["threshold_ratio"] is None for row in read(house, MODEL_VERSION))
