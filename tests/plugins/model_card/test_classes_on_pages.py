"""Models, card and Reports of a problem with three classes, after its model was trained, has scored and was watched."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from include.learning import steps
from include.monitoring import steps as monitoring
from include.warehouse.database import open_warehouse
from reports import app as reports
from tests.include.learning.several.conftest import make_plants, plants, write_several

__all__ = ["plants", "write_several"]

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04", "2013-05"]


@pytest.fixture
def fitted(readable: set[str], plants: Callable[..., Any]) -> str:
    """Give the name of a version of `plants` that was fitted, judged and described, has scored and was watched."""
    plants(MONTHS)
    readable |= {"plants"}
    key = "2013-05"
    plan = steps.plan_training(problem="plants", partition_key=key)
    fitted = steps.fit_candidates(problem="plants", partition_key=key, plan=plan)
    steps.decide_promotion(problem="plants", partition_key=key, fitted=fitted)
    steps.describe_model(problem="plants", partition_key=key, fitted=fitted)
    steps.score_partition(problem="plants", partition_key=key)
    monitoring.measure_partition(problem="plants", partition_key=key)
    return str(fitted["versions"][0])


def test_every_page_shows_three_classes_one_by_one(
    fitted: str, signed_in: TestClient, monkeypatch: pytest.MonkeyPatch, house: Any
) -> None:
    card = signed_in.get("/card", params={"problem": "plants", "version": fitted})
    assert card.status_code == 200
    for text in ("<b>fern, moss, rose</b>", "Class by class", "What it takes for what", "1 for the right class"):
        assert text in card.text
    assert "Ask it what if" not in card.text
    assert "Not shown" not in card.text
    listed = signed_in.get("/").text
    assert fitted in listed
    assert f"what-if?problem=plants&amp;version={fitted}" not in listed
    question = {"problem": "plants", "version": fitted, "values": {}}
    asked = signed_in.post("/ask", json=question, headers={"Origin": "http://testserver"})
    assert asked.status_code == 422
    assert "what-if questions are of one class against another" in asked.json()["message"]
    monkeypatch.setattr(reports, "may_read", lambda user, problem: problem == "plants")
    user: Any = type("User", (), {"get_name": lambda self: "ada"})()
    request = Request({"type": "http", "query_string": b"", "headers": []})
    shown = bytes(reports.show_problem("plants", user, request).body).decode()
    assert "fern: said" in shown
    assert "None" not in shown
    with open_warehouse().connect() as connection:
        filled = connection.exec_driver_sql("SELECT label, confidence_ratio, action FROM bi.filled_label").all()
        counted = connection.exec_driver_sql(
            "SELECT true_class, SUM(n_rows), MAX(share_ratio) FROM bi.confusion GROUP BY true_class"
        ).all()
        classes = connection.exec_driver_sql("SELECT DISTINCT class_name FROM bi.class_metric ORDER BY 1").all()
    n_unknown = int(make_plants("2013-05")["kind"].isna().sum())
    assert len(filled) == n_unknown
    assert all(row.label == row.action and 1 / 3 <= row.confidence_ratio <= 1 for row in filled)
    assert {row.true_class for row in counted} == {row.class_name for row in classes} == {"fern", "moss", "rose"}
