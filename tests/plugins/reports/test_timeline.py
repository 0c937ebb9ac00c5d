"""The time line is whole from its newest event down to where it says it ends, and each event leads to its cause."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, insert, text

from include.warehouse.database import engine_for
from include.warehouse.tables.learning import MODEL_EVENT
from include.warehouse.tables.monitoring import ALERT_EVENT
from reports import app as page
from reports import timeline
from reports.timeline_texts import TEXTS
from tests.plugins.reports.test_app import PROBLEM, SCRIPT

NOW = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, migrated_warehouse_url: str) -> Iterator[Engine]:
    folder = tmp_path / "problems"
    folder.mkdir()
    for name in ("hostile", "secret"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(PROBLEM | {"name": name}))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    monkeypatch.setattr(page, "may_read", lambda user, problem: problem == "hostile")
    engine = create_engine(migrated_warehouse_url)
    yield engine
    engine.dispose()
    engine_for(migrated_warehouse_url).dispose()


@pytest.fixture
def client(warehouse: Engine) -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
    with TestClient(app) as client:
        yield client


def promote(engine: Engine, n: int, **changes: Any) -> None:
    """Promote versions, one a minute from the first of February on."""
    row = {"problem": "hostile", "event": "promoted", "actor": "asset_triggered__2013", "reason": f"good {SCRIPT}"}
    row |= {"serves_from": "2013-01-01"} | changes
    rows = [row | {"model_version": f"v{i:03}", "event_at_utc": NOW + timedelta(minutes=i)} for i in range(n)]
    with engine.begin() as connection:
        connection.execute(insert(MODEL_EVENT), rows)


def raise_alerts(engine: Engine, n: int) -> None:
    """Open and close an alert in turns, one event an hour from the first of February on."""
    row = {"problem": "hostile", "alert_id": "drift", "partition_key": "2013-01-01", "is_by_person": False}
    row |= {"actor": "monitor", "reason": "=HYPERLINK()", "metric": "psi_ratio", "subject": "s", "value": 1, "bound": 0}
    moments = [
        {"event_number": i + 1, "event": "opened", "happened_at_utc": NOW + timedelta(hours=i)} for i in range(n)
    ]
    with engine.begin() as connection:
        connection.execute(insert(ALERT_EVENT), [row | {"until_utc": None} | moment for moment in moments])


def test_events_of_all_kinds_stand_in_one_order_the_newest_first(warehouse: Engine) -> None:
    promote(warehouse, 3)
    raise_alerts(warehouse, 2)
    with warehouse.connect() as connection:
        line = timeline.read_events(connection, "hostile", 10)
        alone = timeline.read_events(connection, "hostile", 10, "alerts")
    assert [event["kind"] for event in line.events] == ["alerts", "versions", "versions", "versions", "alerts"]
    assert (line.complete_since, line.missing) == (None, [])
    assert [event["kind"] for event in alone.events] == ["alerts", "alerts"]


def test_where_one_kind_is_cut_nothing_older_is_shown_of_another(warehouse: Engine) -> None:
    promote(warehouse, 4)
    raise_alerts(warehouse, 3)
    with warehouse.connect() as connection:
        line = timeline.read_events(connection, "hostile", 3)
        most = timeline.read_events(connection, "hostile", 4)
    assert line.complete_since == NOW + timedelta(minutes=1)
    assert [event["subject"] for event in line.events] == ["drift", "drift", "v003", "v002", "v001"]
    assert (len(most.events), most.complete_since) == (7, None)


def test_a_kind_that_cannot_be_read_is_named_and_takes_no_other_with_it(warehouse: Engine, client: TestClient) -> None:
    promote(warehouse, 1)
    with warehouse.begin() as connection:
        connection.execute(text("DROP VIEW bi.erasure_history"))
    html = client.get("/timeline/hostile?lang=en").text
    assert "answered with an error: Erasures." in html
    assert "Version v000 was promoted" in html
    assert client.get("/timeline/hostile/csv").status_code == 500


def test_without_the_list_of_data_docs_only_the_links_to_them_are_missing(
    warehouse: Engine, client: TestClient
) -> None:
    promote(warehouse, 1)
    with warehouse.begin() as connection:
        connection.execute(text("DROP VIEW bi.data_docs CASCADE"))
    html = client.get("/timeline/hostile?lang=en").text
    assert "answered with an error: links to Data Docs." in html
    assert "Version v000 was promoted" in html
    assert client.get("/timeline/hostile/csv").status_code == 200


def test_hostile_text_is_shown_and_a_run_is_called_a_run(warehouse: Engine, client: TestClient) -> None:
    promote(warehouse, 1)
    html = client.get("/timeline/hostile?lang=en").text
    assert "good &lt;script&gt;" in html
    assert SCRIPT not in html
    assert '<td data-label="who" title="asset_triggered__2013">an Airflow run</td>' in html
    assert 'href="../../models/card?problem=hostile&amp;version=v000"' in html
    assert "버전 v000 승격" in client.get("/timeline/hostile?lang=ko").text


def test_pages_hold_a_hundred_each_and_say_which(warehouse: Engine, client: TestClient) -> None:
    assert "Nothing of this kind" in client.get("/timeline/hostile?lang=en").text
    promote(warehouse, 205)
    first, last, beyond = (client.get(f"/timeline/hostile?lang=en&page={number}").text for number in (1, 3, 99))
    assert "Events 1 to 100 of 205." in first
    assert 'page=2" rel="next"' in first
    assert 'rel="prev"' not in first
    assert "Events 201 to 205 of 205." in last
    assert 'rel="next"' not in last
    assert "There are 205 events; this page is beyond them." in beyond
    assert 'page=3" rel="prev"' in beyond


@pytest.mark.parametrize(("query", "status"), [("page=0", 422), ("page=x", 422), ("kind=people", 404), ("kind=", 200)])
def test_a_page_or_kind_that_is_none_is_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/timeline/hostile?{query}").status_code == status


@pytest.mark.parametrize("path", ["/timeline/secret", "/timeline/secret/csv", "/timeline/nobody"])
def test_a_problem_that_one_may_not_read_has_no_time_line(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_table_holds_every_event_and_no_formula(warehouse: Engine, client: TestClient) -> None:
    promote(warehouse, 150)
    raise_alerts(warehouse, 1)
    response = client.get("/timeline/hostile/csv")
    rows = list(csv.DictReader(response.text.splitlines()))
    assert response.headers["content-disposition"] == 'attachment; filename="hostile-timeline.csv"'
    assert tuple(rows[0]) == timeline.COLUMNS
    assert len(rows) == 151
    assert rows[-1]["reason"] == "'=HYPERLINK()"
    assert len(client.get("/timeline/hostile/csv?kind=alerts").text.splitlines()) == 2


def test_a_time_line_that_was_cut_says_so_in_its_file_too(
    warehouse: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(warehouse, 4)
    monkeypatch.setattr(timeline, "MOST_READ", 2)
    monkeypatch.setattr(timeline, "MOST_SENT", 2)
    since = NOW + timedelta(minutes=2)
    html = client.get("/timeline/hostile?lang=en").text
    assert f"of what happened at {since:%Y-%m-%d %H:%M} UTC or before, some or all is left out." in html
    sent = client.get("/timeline/hostile/csv").headers["content-disposition"]
    assert sent == f'attachment; filename="hostile-timeline-since-{since:%Y%m%dT%H%M%SZ}.csv"'


def make_event(kind: str, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(timeline.COLUMNS) | {"kind": kind, "event": "asked", "happened_at_utc": NOW}
    return row | changes


@pytest.mark.parametrize(
    ("kind", "subject", "href"),
    [
        ("versions", "v 1&2", "../../models/card?problem=p&version=v%201%262"),
        ("alerts", "drift", "../alerts/p?lang=en"),
        ("batches", "round/1", "../../desk/#/p/round%2F1"),
        ("decisions", "a b", "../../experiments/experiment?problem=p&experiment=a%20b&lang=en"),
        ("questions", "mail", "../../experiments/experiment?problem=p&experiment=mail&lang=en"),
        ("withdrawals", "a/b.jsonl", ""),
        ("erasures", None, ""),
    ],
)
def test_each_event_leads_to_what_it_is_about(kind: str, subject: str | None, href: str) -> None:
    event = make_event(kind, subject=subject)
    assert timeline.describe(event, "p", frozenset(), TEXTS["en"], "en")["href"] == href


def test_only_an_audited_partition_is_a_link_and_an_unknown_event_is_named() -> None:
    event = make_event("alerts", subject="drift", partition_key="2013-01", event="put_off", actor="monitor")
    told = timeline.describe(event, "p", frozenset({"2013-01"}), TEXTS["en"], "en")
    assert told["partition_href"] == "../audits/p/2013-01"
    assert (told["said"], told["who"]) == ("Columns of the log have moved: put off", "the monitor stage")
    assert timeline.describe(event, "p", frozenset(), TEXTS["en"], "en")["partition_href"] == ""
