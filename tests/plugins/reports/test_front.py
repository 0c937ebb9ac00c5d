"""The front page asks few questions whatever number of problems there is, and one that fails takes no other with it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, event, insert, text

from include.warehouse.database import engine_for
from include.warehouse.tables.monitoring import PERFORMANCE_ESTIMATE
from include.warehouse.tables.runs import COVERAGE
from reports import app as page
from reports import front
from reports.front_texts import TEXTS
from tests.include.warehouse.edge_rows import NOW, fill
from tests.plugins.reports.test_app import PROBLEM, SCRIPT


@pytest.fixture
def warehouse(migrated_warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(migrated_warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture
def client(warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[TestClient]:
    url = warehouse.url.render_as_string(hide_password=False)
    folder = tmp_path / "problems"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(PROBLEM | {"name": name, "title": f"{name} {SCRIPT}"}))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", url)
    monkeypatch.setattr(page, "may_read", lambda user, problem: True)
    monkeypatch.setattr(page, "may_answer", lambda user, problem: problem == "one")
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: f"ada {SCRIPT}")
    with TestClient(app) as client:
        yield client
    engine_for(url).dispose()


def land(engine: Engine, problem: str, status: str) -> None:
    row = {"problem": problem, "stage": "ingest", "partition_key": "2013-06", "status": status, "n_failures": 0}
    with engine.begin() as connection:
        connection.execute(insert(COVERAGE).values(row | {"detail": "d", "updated_at_utc": NOW}))


@pytest.mark.parametrize("n_problems", [0, 1, 30])
def test_the_number_of_queries_does_not_grow_with_the_problems(warehouse: Engine, n_problems: int) -> None:
    asked: list[str] = []
    event.listen(warehouse, "before_cursor_execute", lambda _c, _cursor, statement, *_: asked.append(statement))
    with warehouse.connect() as connection:
        found = front.read_findings(connection, [f"p{number}" for number in range(n_problems)])
    assert len(found) == n_problems
    assert len([one for one in asked if "problem" in one]) == (len(front.PARTS) if n_problems else 0)


def test_one_problem_whose_rows_no_query_survives_keeps_no_other_from_its_card(warehouse: Engine) -> None:
    row = {"partition_key": "2013-06", "model_version": "v1", "metric": "profit", "label_arm": "log", "n_rows": 1}
    for problem, value in (("calm", 1.0), ("endless", 1e300)):
        money = dict.fromkeys(("estimate", "standard_error", "labelled_estimate", "labelled_standard_error"), value)
        values = row | money | {"problem": problem, "actual": 0.5, "n_labelled": 1}
        with warehouse.begin() as connection:
            connection.execute(insert(PERFORMANCE_ESTIMATE).values(values))
    with warehouse.connect() as connection:
        found = front.read_findings(connection, ["calm", "endless"])
    assert (found["calm"].missing, found["endless"].missing) == ([], ["profits"])
    assert found["calm"].rows["profits"][0]["estimate"] == 1.0
    assert found["endless"].rows["profits"] == []


def test_problems_that_need_a_look_are_named_first(client: TestClient, warehouse: Engine) -> None:
    assert "A look is needed at none of 2." in client.get("/?lang=en").text
    land(warehouse, "two", "failed")
    html = client.get("/?lang=en").text
    assert "A look is needed at 1 of 2:</b>" in html
    assert '<a href="#two">' in html
    assert html.index('<a href="#two">') < html.index('<a href="#one">')
    assert SCRIPT not in html
    assert "전체 2개 중 1개는 확인이 필요합니다" in client.get("/?lang=ko").text


def test_a_view_that_is_gone_is_said_on_each_card_that_needs_it(client: TestClient, warehouse: Engine) -> None:
    land(warehouse, "two", "waiting")
    with warehouse.begin() as connection:
        connection.execute(text("DROP VIEW bi.oldest_waiting"))
    response = client.get("/?lang=en")
    assert response.status_code == 200
    assert response.text.count("answered with an error: what waits.") == 2
    assert "The newest, 2013-06: waits for ingest." in response.text
    assert "does not answer" not in response.text


def test_every_problem_is_shown_whatever_its_rows_are(client: TestClient, warehouse: Engine) -> None:
    fill(warehouse, "one")
    fill(warehouse, "two")
    html = client.get("/?lang=en").text
    assert "answered with an error" not in html
    for name in ("one", "two"):
        for path in ("problems", "timeline", "alerts"):
            assert f'href="{path}/{name}?lang=en"' in html


@pytest.mark.parametrize("language", list(TEXTS))
def test_a_person_who_may_read_nothing_is_told_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(page, "may_read", lambda user, problem: False)
    assert TEXTS[language]["no_problem"] in client.get(f"/?lang={language}").text
