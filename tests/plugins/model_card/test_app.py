"""Model cards and what-if questions: who may see and ask, what is shown, and that no text on the pages runs."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert

from include.warehouse.tables.explaining import KEYWORD_RULE, RULE_VERSION
from model_card import app as page
from tests.plugins.model_card.conftest import SCRIPT

READS = ["/", "/card?problem=late&version=v", "/what-if?problem=late&version=v", "/style.css", "/what_if.js"]


def paths(app: FastAPI) -> list[str]:
    return [route.path for route in app.routes]  # type: ignore[attr-defined]


def ask(client: TestClient, version: str, values: dict[str, Any], problem: str = "late", **headers: str) -> Any:
    return client.post("/ask", json={"problem": problem, "version": version, "values": values}, headers=headers)


def test_the_app_has_the_routes_that_are_asked_here_and_no_documentation() -> None:
    assert paths(page.create_app()) == ["/", "/card", "/what-if", "/ask", "/{name}"]


@pytest.mark.parametrize("path", READS)
def test_no_page_answers_without_a_login(path: str) -> None:
    with TestClient(page.create_app()) as client:
        response = client.get(path)
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


def test_no_question_is_answered_without_a_login() -> None:
    with TestClient(page.create_app()) as client:
        assert ask(client, "v", {}, Origin="http://testserver").status_code == 401


@pytest.mark.parametrize("name", ["docs", "openapi.json", "app.py", "..%2Fapp.py", "models.html"])
def test_only_the_files_of_the_page_are_sent(signed_in: TestClient, name: str) -> None:
    assert signed_in.get(f"/{name}").status_code == 404


@pytest.mark.slow
def test_the_card_shows_every_part_of_a_version_and_no_text_of_it_runs(fitted: str, signed_in: TestClient) -> None:
    html = signed_in.get("/card", params={"problem": "late", "version": fitted}).text
    assert re.search(r"Of 100 like those it gives [\d ]+to [\d ]+ of 100, \d+ are (on_time|late)", html)
    for part in ("problem", "data", "metrics", "gate", "explanations", "fairness", "weak", "limits"):
        assert f'<section id="{part}">' in html
    assert '<svg class="reliability"' in html
    assert html.count('<svg class="curve"') == 3
    for words in ("evening", "champion" if "champion" in html else "dummy", "permutation", "ablation", "line red"):
        assert words in html
    assert html.count('class="good">yes') >= 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt; waits" in html
    assert html.count("<script") == html.count('<script src="theme.js">') == 1
    # The list leads to the card and to the question, and the question starts at the middle.
    listed = signed_in.get("/").text
    assert f"card?problem=late&version={fitted}" in listed.replace("&amp;", "&")
    form = signed_in.get("/what-if", params={"problem": "late", "version": fitted}).text
    assert re.search(r'<input type="range"[^>]* data-moves="hour" min="5.0" max="22.0" step="1"', form)
    assert re.search(r"<option selected>(red|blue)</option>", form)
    assert SCRIPT not in form


@pytest.mark.slow
def test_a_question_is_answered_and_a_change_moves_the_probability(fitted: str, signed_in: TestClient) -> None:
    wet = ask(signed_in, fitted, {"rain_mm": 9, "hour": 21, "line": "red"}).json()
    dry = ask(signed_in, fitted, {"rain_mm": 0, "hour": 6, "line": "red"}).json()
    assert wet["p_positive"] > dry["p_positive"] + 0.3
    assert sum(value for _, value in wet["contributions"]) == pytest.approx(wet["log_odds"])
    # What may be changed is named by the problem's file; each change was put to the model as a whole row.
    assert wet["changes"]
    for change in wet["changes"]:
        changed = {step["feature"]: step["after"] for step in change["steps"]}
        assert set(changed) <= {"hour", "rain_mm"}
        again = ask(signed_in, fitted, {"rain_mm": 9, "hour": 21, "line": "red"} | changed).json()
        assert again["p_positive"] == pytest.approx(change["p_positive"])
        assert again["action"] != wet["action"]
    # What cannot be asked is a sentence.
    for values, words in (
        ({"rain_mm": "wet"}, "takes a number"),
        ({"snow": 1}, "features that the model does not read"),
        ({"line": 3}, "takes a text"),
    ):
        response = ask(signed_in, fitted, values)
        assert (response.status_code, words in response.json()["message"]) == (422, True)
    assert ask(signed_in, "no-such-version", {}).status_code == 422


def test_a_problem_that_one_may_not_read_is_as_none(readable: set[str], signed_in: TestClient) -> None:
    assert "Trips" in signed_in.get("/").text
    readable.clear()
    assert "Trips" not in signed_in.get("/").text
    for path in ("/card", "/what-if"):
        assert signed_in.get(path, params={"problem": "late", "version": "v"}).status_code == 404
    assert ask(signed_in, "v", {}).status_code == 404


def test_the_models_of_one_dag_are_those_of_its_problem(readable: set[str], signed_in: TestClient) -> None:
    readable.add("mail")
    assert 'id="mail"' in signed_in.get("/").text
    html = signed_in.get("/?dag=late__train").text
    assert ('id="late"' in html, 'id="mail"' in html) == (True, False)


def test_rules_that_were_mined_are_listed_with_who_decided_and_what_they_were_worth(
    house: Any, readable: set[str], signed_in: TestClient
) -> None:
    assert "Rules that were mined" not in signed_in.get("/").text
    now = datetime(2013, 4, 1, tzinfo=UTC)
    rule = {"problem": "late", "rule_version": "rule-001", "status": "approved", "positive_when": f"'{SCRIPT}'"}
    rule |= {"keywords": ["rain"], "n_mined": 9, "n_measured": 40, "proposed_at_utc": now, "proposed_by": "run"}
    shares = {"precision_ratio": 0.75, "precision_low": 0.4, "precision_high": 0.93}
    shares |= {"coverage_ratio": 0.2, "coverage_low": 0.1, "coverage_high": 0.36}
    keyword = {"problem": "late", "rule_version": "rule-001", "n_hits": 8, "n_rows": 40, "is_chosen": True} | shares
    with house.engine.begin() as connection:
        connection.execute(insert(RULE_VERSION), [rule | {"decided_at_utc": now, "decided_by": "ann"}])
        rows = [keyword | {"keyword": "(any of the chosen)", "rank": 0}, keyword | {"keyword": "rain", "rank": 1}]
        connection.execute(insert(KEYWORD_RULE), rows)
    html = signed_in.get("/").text
    assert html.count("rule-001") == 1
    for words in ("in force", "contains rain<", "ann, 2013-04-01", "75.0", "40.0 – 93.0", "20.0", "8 of 40"):
        assert words in html
    assert SCRIPT not in html


def test_a_version_that_is_not_there_is_named(readable: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/card", params={"problem": "late", "version": "v0"})
    assert (response.status_code, response.json()["detail"]) == (404, "late has no model version 'v0'.")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.evil.example"])
def test_a_question_from_another_page_is_refused(readable: set[str], signed_in: TestClient, origin: str) -> None:
    assert ask(signed_in, "v", {}, Origin=origin).status_code == 403


def test_a_question_that_is_not_json_or_holds_more_than_a_row_is_refused(
    readable: set[str], signed_in: TestClient
) -> None:
    assert signed_in.post("/ask", content="problem=late").status_code == 415
    assert ask(signed_in, "v", {"body": "x" * 70_000}).status_code == 413
    assert ask(signed_in, "v", {"rain_mm": [1, 2]}).status_code == 422


def test_pages_may_load_only_from_this_server_and_are_not_kept(readable: set[str], signed_in: TestClient) -> None:
    headers = signed_in.get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    own = dict.fromkeys(("script-src", "style-src", "img-src", "connect-src", "frame-ancestors"), "'self'")
    assert policy == own | dict.fromkeys(("default-src", "base-uri", "form-action"), "'none'")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_warehouse_that_does_not_answer_is_a_page_without_its_address(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "postgresql+psycopg://someone:hush@127.0.0.1:1/none")
    for path in ("/", "/card?problem=late&version=v", "/what-if?problem=late&version=v"):
        response = signed_in.get(path)
        assert (response.status_code, "hush" in response.text) == (503, False)
    response = ask(signed_in, "v", {})
    assert (response.status_code, "hush" in response.text) == (503, False)
