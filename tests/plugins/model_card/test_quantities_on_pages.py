"""Card and Reports of a problem whose label is a number, after its model was trained, has scored and was watched."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from include.learning import steps
from include.monitoring import steps as monitoring
from include.warehouse.database import open_warehouse
from reports import app as reports
from tests.include.learning.quantity.conftest import BIKES, DAYS, POINT, bikes, make_bikes, write_problem

__all__ = ["bikes", "write_problem"]

KEY = DAYS[36]


@pytest.fixture
def fitted(readable: set[str], bikes: Callable[..., Any]) -> str:
    """Give the name of a version of `bikes` that was fitted, judged and described, has scored and was watched."""
    bikes(DAYS, BIKES | {"training": BIKES["training"] | {"models": ["seasonal_naive", "linear"]}})
    readable |= {"bikes"}
    plan = steps.plan_training(problem="bikes", partition_key=POINT)
    fitted = steps.fit_candidates(problem="bikes", partition_key=POINT, plan=plan)
    steps.decide_promotion(problem="bikes", partition_key=POINT, fitted=fitted)
    steps.describe_model(problem="bikes", partition_key=POINT, fitted=fitted)
    steps.score_partition(problem="bikes", partition_key=KEY)
    monitoring.measure_partition(problem="bikes", partition_key=KEY)
    monitoring.raise_alerts(problem="bikes", partition_key=KEY)
    return str(fitted["versions"][0])


def test_every_page_and_view_shows_numbers_and_their_intervals(
    fitted: str, signed_in: TestClient, monkeypatch: pytest.MonkeyPatch, house: Any
) -> None:
    card = signed_in.get("/card", params={"problem": "bikes", "version": fitted})
    assert card.status_code == 200
    for text in (
        "how many <b>bikes</b>",
        "an interval that holds 90.0 of 100",
        "3 for each too little",
        "its mean width",
    ):
        assert text in card.text, text
    assert "Ask it what if" not in card.text
    assert "Not shown" not in card.text
    assert fitted in signed_in.get("/").text
    question = {"problem": "bikes", "version": fitted, "values": {}}
    asked = signed_in.post("/ask", json=question, headers={"Origin": "http://testserver"})
    assert "its label is a quantity" in asked.json()["message"]
    monkeypatch.setattr(reports, "may_read", lambda user, problem: problem == "bikes")
    user: Any = type("User", (), {"get_name": lambda self: "ada"})()
    request = Request({"type": "http", "query_string": b"", "headers": []})
    shown = bytes(reports.show_problem("bikes", user, request).body).decode()
    assert "Numbers and their intervals, month by month" in shown
    assert "said 90, held" in shown
    assert "None" not in shown
    with open_warehouse().connect() as connection:
        [month] = connection.exec_driver_sql("SELECT * FROM bi.quantity_monthly").mappings().all()
        [daily] = connection.exec_driver_sql("SELECT * FROM bi.quantity_quality").mappings().all()
        filled = connection.exec_driver_sql("SELECT label, low, high, unit FROM bi.filled_label").all()
        moved = connection.exec_driver_sql("SELECT feature FROM bi.drift_by_feature").scalars().all()
        compared = connection.exec_driver_sql("SELECT candidate, mae, coverage_ratio FROM bi.model_comparison").all()
        choices = connection.exec_driver_sql("SELECT behind_cost FROM bi.model_choice ORDER BY 1").scalars().all()
    for name in ("mae", "rmse", "coverage_ratio", "coverage_low", "coverage_high", "mean_width", "profit"):
        assert month[name] == pytest.approx(daily[name]), name
    assert month["profit_gain"] == pytest.approx(daily["profit_gain"] * daily["n_labelled"])
    assert daily["profit_gain"] > 0
    assert len(filled) == int(make_bikes(KEY)["n_out"].isna().sum())
    assert {"said: predicted", "said: width"} <= set(moved)
    assert all(row.mae > 0 and 0 <= row.coverage_ratio <= 1 for row in compared)
    assert choices[0] == 0 < choices[1]
