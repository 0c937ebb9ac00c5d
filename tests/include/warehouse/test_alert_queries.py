from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine, insert

from include.warehouse import alert_queries
from include.warehouse.tables.monitoring import ALERT, ALERT_EVENT
from include.warehouse.tables.runs import COVERAGE

OPENED = datetime(2026, 3, 1, tzinfo=UTC)
FIGURES = {"metric": "psi_ratio", "subject": "speed", "value": 0.4, "bound": 0.25}


def make_event(cause, number, event, **changes):
    row = {"problem": "p", "alert_id": cause, "event_number": number, "event": event, "partition_key": "2026-02"}
    row |= {"is_by_person": False, "actor": "monitor", "reason": "r", "until_utc": None} | FIGURES
    return row | {"happened_at_utc": OPENED + timedelta(hours=number)} | changes


def test_escalated_alerts_come_first_snoozed_last_and_the_newest_event_first(migrated_warehouse_url):
    engine = create_engine(migrated_warehouse_url)
    alert = {"problem": "p", "partition_key": "2026-02", "action": "warn", "message": "m", "opened_at_utc": OPENED}
    far = datetime.now(UTC) + timedelta(days=9)
    with engine.begin() as connection:
        connection.execute(insert(ALERT), [alert | FIGURES | {"alert_id": cause} for cause in "abc"])
        events = [make_event(cause, 1, "opened") for cause in "abc"]
        events += [make_event("c", 2, "escalated"), make_event("a", 3, "snoozed", until_utc=far, is_by_person=True)]
        connection.execute(insert(ALERT_EVENT), events)
        alerts = alert_queries.alerts_of(connection, "p")
        history = alert_queries.alert_history(connection, "p")
        other = (alert_queries.alerts_of(connection, "q"), alert_queries.alert_history(connection, "q"))
    engine.dispose()
    assert [(row["alert_id"], row["state"]) for row in alerts] == [("c", "escalated"), ("b", "open"), ("a", "snoozed")]
    assert [row["event"] for row in history] == ["snoozed", "escalated", "opened", "opened", "opened"]
    assert other == ([], [])


def test_what_waits_is_listed_with_the_problems_other_logs_and_no_other_problem(migrated_warehouse_url):
    engine = create_engine(migrated_warehouse_url)
    row = {"stage": "ingest", "partition_key": "2026-02", "status": "failed", "detail": "no file", "n_failures": 1}
    with engine.begin() as connection:
        names = ("p", "p.returns", "pp")
        connection.execute(insert(COVERAGE), [row | {"problem": name, "updated_at_utc": OPENED} for name in names])
        found = alert_queries.oldest_waiting(connection, "p")
    engine.dispose()
    assert [one["dag_id"] for one in found] == ["p.returns__ingest", "p__ingest"]
    assert (found[1]["n_waiting"], found[1]["n_failed"], found[1]["since_utc"]) == (1, 1, OPENED)
