from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert

from include.errors import AlertRefused
from include.monitoring import alert_history, store
from include.problems.sections.monitor import Monitor
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.monitoring import ALERT, ALERT_EVENT, FEATURE_DRIFT
from include.warehouse.tables.runs import RUN_STEP
from tests.include.learning.registry.test_versions import make_version
from tests.include.monitoring.test_store import make_alert, make_drift

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
MONITOR = Monitor(features=["speed"], reference_partitions=2, minimum_rows=40, escalate_after=timedelta(hours=2))


@pytest.fixture
def connection(house):
    with house.engine.begin() as connection:
        yield connection


def stand(connection, key="2013-03", **changes):
    connection.execute(insert(FEATURE_DRIFT), [make_drift(key)])
    connection.execute(insert(ALERT), [make_alert(key, **changes) | {"opened_at_utc": NOW}])


def told(connection):
    return [(row["event"], row["partition_key"], row["actor"]) for row in alert_history.read_events(connection, "p")]


def test_an_alert_is_opened_escalated_and_closed_by_what_is_measured(connection):
    stand(connection)
    for now in (NOW, NOW, LATER, LATER):
        alert_history.bring_up_to_date(connection, "p", MONITOR, now)
    connection.execute(insert(FEATURE_DRIFT), [make_drift("2013-04", verdict="stable")])
    alert_history.bring_up_to_date(connection, "p", MONITOR, LATER)
    kinds = [("opened", "2013-03"), ("escalated", "2013-03"), ("closed", "2013-04")]
    assert told(connection) == [(*kind, "monitor") for kind in kinds]


def test_what_a_person_closed_stays_closed_until_a_later_partition_shows_it(connection):
    stand(connection)
    alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    alert_history.close_alert(connection, "p", "drift", person="ada", reason=" a holiday ", now=NOW)
    assert alert_history.read_events(connection, "p")[-1]["reason"] == "a holiday"
    assert alert_history.bring_up_to_date(connection, "p", MONITOR, LATER) == []
    assert alert_history.read_open(connection, "p") == []
    stand(connection, "2013-04")
    alert_history.bring_up_to_date(connection, "p", MONITOR, LATER)
    assert told(connection)[-2:] == [("closed", "2013-03", "ada"), ("opened", "2013-04", "monitor")]
    # The later one is withdrawn: what was closed before does not stand up again.
    for table in (ALERT, FEATURE_DRIFT):
        connection.execute(delete(table).where(table.c.partition_key == "2013-04"))
    alert_history.bring_up_to_date(connection, "p", MONITOR, LATER)
    assert alert_history.read_open(connection, "p") == []
    assert told(connection)[-1][0] == "closed"


def test_an_alert_from_before_lives_were_kept_can_be_closed(connection):
    stand(connection)
    alert_history.close_alert(connection, "p", "drift", person="ada", reason="seen", now=NOW)
    assert told(connection) == [("opened", "2013-03", "monitor"), ("closed", "2013-03", "ada")]


def test_a_person_is_told_that_a_measurement_holds_the_problem(connection, house):
    stand(connection)
    with house.engine.begin() as other:
        store.hold_measures(other, "p")
        with pytest.raises(AlertRefused) as refused:
            alert_history.close_alert(connection, "p", "drift", person="ada", reason="seen", now=NOW)
    assert refused.value.code == "busy"


def test_a_snooze_shows_as_such_and_holds_up_the_escalation(connection):
    stand(connection)
    now = datetime.now(UTC)
    alert_history.bring_up_to_date(connection, "p", MONITOR, now)
    until = now + timedelta(days=1)
    alert_history.snooze_alert(connection, "p", "drift", person="ada", reason="looked at", until=until, now=now)
    [row] = alert_history.read_open(connection, "p")
    assert (row["state"], row["snoozed_until_utc"]) == ("snoozed", until)
    assert alert_history.bring_up_to_date(connection, "p", MONITOR, now + timedelta(hours=5)) == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_without_a_reason_that_can_be_read_nothing_is_closed(connection, reason):
    stand(connection)
    alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    with pytest.raises(AlertRefused, match="at most 1000"):
        alert_history.close_alert(connection, "p", "drift", person="ada", reason=reason, now=NOW)
    assert [event for event, *_ in told(connection)] == ["opened"]


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_a_snooze_into_the_past_or_for_too_long_is_refused(connection, days):
    stand(connection)
    alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    until = NOW + timedelta(days=days)
    with pytest.raises(AlertRefused, match="at most 90 days"):
        alert_history.snooze_alert(connection, "p", "drift", person="ada", reason="r", until=until, now=NOW)


def test_what_is_not_open_is_refused_and_so_is_what_the_desk_raised(connection):
    stand(connection, alert_id="review_overdue", action="review")
    alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    assert told(connection) == []
    for cause in ("review_overdue", "drift"):
        with pytest.raises(AlertRefused, match="is not open any more"):
            alert_history.close_alert(connection, "p", cause, person="ada", reason="r", now=NOW)


def test_an_alert_whose_cause_was_withdrawn_closes(connection):
    stand(connection)
    alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    for table in (ALERT, FEATURE_DRIFT):
        connection.execute(delete(table))
    [row] = alert_history.bring_up_to_date(connection, "p", MONITOR, LATER)
    assert (row["event"], row["reason"]) == ("closed", "It is measured no longer.")


def test_two_runs_at_once_open_an_alert_once(house):
    with house.engine.begin() as connection:
        stand(connection)

    def look(_):
        with house.engine.begin() as connection:
            store.hold_measures(connection, "p")
            return len(alert_history.bring_up_to_date(connection, "p", MONITOR, NOW))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(8))) == 1
    with house.engine.begin() as connection:
        assert len(connection.execute(ALERT_EVENT.select()).all()) == 1


def test_an_alert_asks_for_one_training_and_its_history_says_what_came_of_it(connection):
    file = Monitor(features=["speed"], reference_partitions=2, minimum_rows=40, action="retrain")
    stand(connection)
    connection.execute(insert(ALERT), [make_alert(alert_id="calibration") | {"opened_at_utc": NOW}])
    for _ in range(2):
        alert_history.bring_up_to_date(connection, "p", file, NOW)
    asked = [("opened", "2013-03", "monitor"), ("retrain_asked", "2013-03", "monitor")]
    assert told(connection) == [asked[0], asked[1], asked[0]]  # calibration alone, the first by name
    version = make_version("2013-03-aaaaaa", problem="p", trained_at_utc=LATER, status="candidate")
    connection.execute(insert(MODEL_VERSION), [version])
    assert alert_history.bring_up_to_date(connection, "p", file, LATER) == []
    connection.execute(MODEL_VERSION.update().values(status="rejected"))
    # That training had begun before anybody asked.
    assert alert_history.bring_up_to_date(connection, "p", file, LATER) == []
    planned = {"problem": "p", "stage": "train", "step": "plan_training", "partition_key": "2013-03", "run_id": "r"}
    planned |= {"status": "done", "started_at_utc": NOW + timedelta(minutes=1), "duration_s": 1.0}
    connection.execute(insert(RUN_STEP), [planned])
    # Also where the file asks for nothing any more.
    [row] = alert_history.bring_up_to_date(connection, "p", MONITOR.model_copy(update={"escalate_after": None}), LATER)
    assert (row["event"], row["alert_id"], row["event_number"]) == ("retrained", "calibration", 3)
    assert row["reason"].startswith("2013-03-aaaaaa was trained through")
    assert alert_history.bring_up_to_date(connection, "p", file, LATER + timedelta(days=9)) == []


def test_a_new_model_that_opens_an_alert_again_makes_no_circle(connection):
    file = Monitor(features=["speed"], reference_partitions=2, minimum_rows=40, action="retrain")
    stand(connection)
    now = NOW
    for _ in range(5):
        alert_history.bring_up_to_date(connection, "p", file, now)
        connection.execute(delete(ALERT))
        alert_history.bring_up_to_date(connection, "p", file, now)
        connection.execute(insert(ALERT), [make_alert("2013-03") | {"opened_at_utc": NOW}])
        now += timedelta(days=2)
    kinds = [event for event, *_ in told(connection)]
    assert (kinds.count("opened"), kinds.count("retrain_asked")) == (5, 1)
