"""The Reports page: nobody reads it without a login, and no text on it runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert

from include.warehouse.database import engine_for
from include.warehouse.tables.quality import DATA_DOCS, PARTITION_AUDIT
from reports import app as page

ROUTES = ["/", "/audits/{name}", "/audits/{name}/{partition_key}", "/style.css", "/icon.svg"]
SCRIPT = "<script>alert(1)</script>"
PROBLEM = {
    "name": "hostile",
    "title": f"A title {SCRIPT}",
    "why": f"{SCRIPT} suffers",
    "owner": f'ops" onload="{SCRIPT}',
    "escalation": "ops-lead",
    "source": {
        "landing": "hostile",
        "grain": "day",
        "key": ["id"],
        "event_time": "at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
    },
}


def paths(app: FastAPI) -> list[str]:
    return [route.path for route in app.routes]  # type: ignore[attr-defined]


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, migrated_warehouse_url: str) -> Iterator[set[str]]:
    """Give the names of the problems that the signed-in person may read, to be changed by the test."""
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "hostile.yaml").write_text(yaml.safe_dump(PROBLEM))
    (folder / "secret.yaml").write_text(yaml.safe_dump(PROBLEM | {"name": "secret", "title": "Nobody's business"}))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    names = {"hostile"}
    monkeypatch.setattr(page, "may_read", lambda user, problem: problem in names)
    yield names
    engine_for(migrated_warehouse_url).dispose()


@pytest.fixture
def signed_in() -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: f"ada {SCRIPT}")
    with TestClient(app) as client:
        yield client


def test_the_app_has_the_routes_that_are_asked_here_and_no_documentation() -> None:
    assert paths(page.create_app()) == ROUTES


@pytest.mark.parametrize("path", ROUTES)
def test_no_route_answers_without_a_login(path: str) -> None:
    with TestClient(page.create_app()) as client:
        response = client.get(path)
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_routes_are_described_to_nobody(signed_in: TestClient, path: str) -> None:
    assert signed_in.get(path).status_code == 404


def test_hostile_text_is_shown_and_never_runs(readable: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/")
    assert response.status_code == 200
    assert "A title &lt;script&gt;alert(1)&lt;/script&gt;" in response.text
    assert "ada &lt;script&gt;" in response.text
    assert "<script" not in response.text
    assert ' onload="' not in response.text


def test_a_hostile_reason_is_shown_and_never_runs(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition: dict[str, Any] = {"partition_key": "2013-01-01", "verdict": "refused", "first_reason": f"bad {SCRIPT}"}
    partition |= dict.fromkeys(("n_in", "n_published", "n_quarantined", "n_duplicate"), 1)
    monkeypatch.setattr(page.queries, "completeness_by_partition", lambda *_: [partition])
    html = signed_in.get("/").text
    assert "bad &lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html


def test_how_many_labels_taught_each_auc_stands_beside_it(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"round_number": 3, "n_labels_all": 301, "n_labels_random": 162, "n_labels_demo": 140}
    rates = {"positive_per_100_entropy": 50, "positive_per_100_random": 30}
    row: dict[str, Any] = counts | rates | {"auc_all_ratio": 0.99, "auc_random_ratio": 0.98}
    monkeypatch.setattr(page.queries, "review_rounds", lambda *_: [row])
    html = signed_in.get("/").text
    assert "0.990 (301)" in html
    assert "0.980 (162)" in html
    assert "the demo reviewer gave 140 of them" in html


@pytest.mark.parametrize(("lift", "words"), [(0.25, "25 more of 100"), (-0.25, "25 fewer of 100")])
def test_a_winner_that_cost_rewards_is_said_to_have_brought_fewer(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch, lift: float, words: str
) -> None:
    names = ("realised_low", "realised_high", "promised_lift_ratio", "promised_low", "promised_high")
    row: dict[str, Any] = dict.fromkeys(names, 0.1) | {"decision": "winner", "winner": "large", "reason": "Best."}
    monkeypatch.setattr(page.queries, "experiment_result", lambda *_: row | {"realised_lift_ratio": lift})
    assert f"<b>{words}</b>" in signed_in.get("/").text


def test_the_page_may_load_nothing_from_elsewhere_and_is_not_kept(readable: set[str], signed_in: TestClient) -> None:
    headers = signed_in.get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
    }
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_problem_that_a_person_may_not_read_is_not_named(readable: set[str], signed_in: TestClient) -> None:
    assert "Nobody&#39;s business" not in signed_in.get("/").text
    readable.add("secret")
    assert "Nobody&#39;s business" in signed_in.get("/").text


def test_a_warehouse_that_does_not_answer_is_a_page_without_its_address(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "postgresql+psycopg://someone:hush@127.0.0.1:1/none")
    response = signed_in.get("/")
    assert (response.status_code, "hush" in response.text) == (503, False)
    assert "OperationalError" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.fixture
def audited(readable: set[str], migrated_warehouse_url: str) -> set[str]:
    """Give both problems one audited partition."""
    with engine_for(migrated_warehouse_url).begin() as connection:
        for problem in ("hostile", "secret"):
            key = {"problem": problem, "partition_key": "2013-01-01", "run_id": "r"}
            counts = {"n_in": 3, "n_published": 2, "n_quarantined": 1, "n_duplicate": 0, "n_refused": 0, "n_in_lake": 2}
            now = datetime(2013, 1, 2, tzinfo=UTC)
            verdict = {"verdict": "published_with_warnings", "first_reason": SCRIPT, "finished_at_utc": now}
            connection.execute(insert(PARTITION_AUDIT).values(**key, **counts, **verdict))
            connection.execute(insert(DATA_DOCS).values(**key, html="<p>values must be <i></i></p>", built_at_utc=now))
    return readable


def test_data_docs_of_a_partition_are_shown_with_what_became_of_it(audited: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/audits/hostile/2013-01-01")
    assert "<p>values must be <i></i></p>" in response.text
    assert "3 rows in, 2 published, 1 kept apart" in response.text
    assert "published with warnings: &lt;script&gt;" in response.text
    assert response.headers["content-security-policy"] == page.POLICY


@pytest.mark.parametrize("name", ["hostile", "hostile__ingest"])
def test_a_problem_and_the_tabs_of_its_dags_list_its_audits(
    audited: set[str], signed_in: TestClient, name: str
) -> None:
    text = signed_in.get(f"/audits/{name}").text
    assert 'href="/mulgil' not in text
    assert '<a href="hostile/2013-01-01">' in text
    assert "<script" not in text


@pytest.mark.parametrize("path", ["secret", "secret__ingest", "secret/2013-01-01", "nobody", "nobody/2013-01-01"])
def test_audits_of_a_problem_that_one_may_not_read_are_as_if_there_were_none(
    audited: set[str], signed_in: TestClient, path: str
) -> None:
    response = signed_in.get(f"/audits/{path}")
    assert response.status_code == 404
    assert "that you may read" in response.json()["detail"]
    audited.add("secret")
    assert signed_in.get(f"/audits/{path}").status_code == (200 if path.startswith("secret") else 404)


def test_a_partition_that_was_never_audited_is_not_there(audited: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/audits/hostile/2099-01-01")
    assert (response.status_code, response.json()["detail"][:12]) == (404, "'2099-01-01'")


def test_the_reports_page_leads_to_the_audits(audited: set[str], signed_in: TestClient) -> None:
    assert '<a href="audits/hostile/2013-01-01">2013-01-01</a>' in signed_in.get("/").text
