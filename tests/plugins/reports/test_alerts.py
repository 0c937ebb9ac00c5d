"""The alerts page: who may close one, what is refused in which words, and that its form works in a browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, insert, select, update

from include.monitoring import alert_history
from include.problems.sections.monitor import Monitor
from include.warehouse.database import engine_for
from include.warehouse.tables.monitoring import ALERT, ALERT_EVENT, ALERT_MESSAGE
from reports import alerts
from reports import app as page
from tests.plugins.reports.test_app import PROBLEM, SCRIPT

ORIGIN = {"Origin": "http://testserver"}
NOW = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give what the signed-in person may: read, close."""
    rights = {"read", "close"}
    monkeypatch.setattr(page, "may_read", lambda user, problem: "read" in rights)
    monkeypatch.setattr(alerts, "may_close_alerts", lambda user, problem: "close" in rights)
    return rights


@pytest.fixture
def warehouse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, migrated_warehouse_url: str, rights: set[str]
) -> Iterator[Engine]:
    """Give a warehouse with one open alert about two columns, one with a hostile name."""
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "hostile.yaml").write_text(yaml.safe_dump(PROBLEM))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    engine = create_engine(migrated_warehouse_url)
    finding = {"metric": "psi_ratio", "value": 0.4, "bound": 0.25}
    alert = {"problem": "hostile", "partition_key": "2013-01-01", "alert_id": "drift", "subject": f"speed, {SCRIPT}"}
    alert |= finding | {"action": "warn", "message": f"It moved {SCRIPT}", "opened_at_utc": NOW, "n_watched": 9}
    alert |= {"findings": [finding | {"subject": "speed"}, finding | {"subject": SCRIPT}]}
    with engine.begin() as connection:
        connection.execute(insert(ALERT), [alert])
        monitor = Monitor(features=["speed"], reference_partitions=1)
        alert_history.bring_up_to_date(connection, "hostile", monitor, NOW)
    yield engine
    engine.dispose()
    engine_for(migrated_warehouse_url).dispose()


@pytest.fixture
def client(warehouse: Engine) -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
    with TestClient(app) as client:
        yield client


def events(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        columns = (ALERT_EVENT.c.event, ALERT_EVENT.c.actor, ALERT_EVENT.c.reason)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(ALERT_EVENT.c.event_number))]


@pytest.mark.parametrize("path", ["close", "snooze"])
def test_no_write_is_done_without_a_login(warehouse: Engine, path: str) -> None:
    with TestClient(page.create_app()) as client:
        response = client.post(f"/alerts/hostile/{path}", json={"alert_id": "drift", "reason": "r"}, headers=ORIGIN)
    assert response.status_code == 401


def test_the_page_says_how_many_of_how_many_and_runs_no_text(client: TestClient) -> None:
    html = client.get("/alerts/hostile").text
    assert "2 of 9 watched" in " ".join(html.split())
    assert "It moved &lt;script&gt;" in html
    assert SCRIPT not in html
    assert 'data-alert="drift"' in html


def test_partitions_that_are_late_are_counted_beyond_those_that_are_listed(
    client: TestClient, warehouse: Engine
) -> None:
    with warehouse.begin() as connection:
        late = {"alert_id": "late", "value": 988.0, "n_watched": 1000}
        connection.execute(update(ALERT).values(late))
        connection.execute(update(ALERT_EVENT).values(alert_id="late"))
    assert "988 of 1000 watched" in " ".join(client.get("/alerts/hostile").text.split())


def test_who_may_close_closes_with_a_reason_that_everybody_reads(client: TestClient, warehouse: Engine) -> None:
    body = {"alert_id": "drift", "reason": f"a holiday {SCRIPT}"}
    assert client.post("/alerts/hostile/close", json=body, headers=ORIGIN).json() == {"done": True}
    assert events(warehouse)[1] == ("closed", "ada", f"a holiday {SCRIPT}")
    html = client.get("/alerts/hostile").text
    assert "a holiday &lt;script&gt;" in html
    assert 'data-alert="drift"' not in html
    assert client.post("/alerts/hostile/close", json=body, headers=ORIGIN).status_code == 422


def test_the_history_shows_who_was_told_and_why_a_message_was_given_up(client: TestClient, warehouse: Engine) -> None:
    about = {"problem": "hostile", "alert_id": "drift", "event_number": 1, "recipient": "owner"}
    about |= {"n_attempts": 1, "next_attempt_at_utc": NOW, "last_error": None}
    told = about | {"channel": "mail", "status": "told"}
    lost = told | {"channel": "webhook", "status": "given_up", "n_attempts": 8, "last_error": f"no server {SCRIPT}"}
    with warehouse.begin() as connection:
        connection.execute(insert(ALERT_MESSAGE), [told, lost])
    html = client.get("/alerts/hostile").text
    assert '1 of 2, <b class="bad">given up</b>' in html
    assert "(owner by webhook, attempt 8: no server &lt;script&gt;" in html
    assert "전달 포기" in client.get("/alerts/hostile?lang=ko").text


def test_a_snooze_is_kept_with_who_and_why(client: TestClient, warehouse: Engine) -> None:
    body = {"alert_id": "drift", "reason": "looked at", "days": 7}
    assert client.post("/alerts/hostile/snooze", json=body, headers=ORIGIN).status_code == 200
    assert events(warehouse)[1] == ("snoozed", "ada", "looked at")
    assert "snoozed</b>, until 20" in client.get("/alerts/hostile").text


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        ("close", {"reason": " "}, "사유를 1000자 이내로 적어 주세요."),
        ("snooze", {"days": 10**9}, "1일에서 90일 사이로 정해 주세요."),
        ("snooze", {"days": -(10**9)}, "1일에서 90일 사이로 정해 주세요."),
        ("close", {"alert_id": "calibration"}, "이미 닫힌 알림입니다. 페이지를 새로 고쳐 주세요."),
    ],
)
def test_what_is_refused_is_said_in_korean(
    client: TestClient, warehouse: Engine, path: str, changes: dict[str, Any], said: str
) -> None:
    body = {"alert_id": "drift", "reason": "r"} | ({"days": 7} if path == "snooze" else {}) | changes
    answer = client.post(f"/alerts/hostile/{path}?lang=ko", json=body, headers=ORIGIN)
    assert (answer.status_code, answer.json()["message"]) == (422, said)
    assert len(events(warehouse)) == 1


def test_a_viewer_reads_and_closes_nothing(client: TestClient, rights: set[str], warehouse: Engine) -> None:
    rights.remove("close")
    html = client.get("/alerts/hostile").text
    assert "role Lead" in html
    assert "<form" not in html
    for path, more in (("close", {}), ("snooze", {"days": 7})):
        body = {"alert_id": "drift", "reason": "r", **more}
        assert client.post(f"/alerts/hostile/{path}", json=body, headers=ORIGIN).status_code == 403
    rights.clear()
    assert client.get("/alerts/hostile").status_code == 404
    assert client.post("/alerts/hostile/close", json=body | {"days": 1}, headers=ORIGIN).status_code == 422
    assert len(events(warehouse)) == 1


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {}])
def test_another_page_closes_nothing(client: TestClient, warehouse: Engine, headers: dict[str, str]) -> None:
    body = {"alert_id": "drift", "reason": "r"}
    assert client.post("/alerts/hostile/close", json=body, headers=headers).status_code == 403
    assert len(events(warehouse)) == 1


def test_the_browsers_language_is_spoken_and_the_address_overrides_it(client: TestClient) -> None:
    korean = {"Accept-Language": "ko-KR"}
    assert '<html lang="ko">' in client.get("/alerts/hostile", headers=korean).text
    assert '<html lang="en">' in client.get("/alerts/hostile?lang=en", headers=korean).text
    assert "입력 항목의 분포가 달라졌습니다" in client.get("/alerts/hostile?lang=ko").text


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_a_person_closes_an_alert_in_a_browser(
    warehouse: Engine, browser: Any, serve: Any, tmp_path: Path, width: int
) -> None:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
    address = serve(app)
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(f"{address}/alerts/hostile?lang=ko")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.get_by_role("textbox").fill("휴일입니다")
    with tab.expect_navigation():
        tab.get_by_role("button", name="닫기").click()
    assert tab.get_by_text("열린 알림이 없습니다").is_visible()
    assert events(warehouse)[1] == ("closed", "ada", "휴일입니다")
    tab.close()
