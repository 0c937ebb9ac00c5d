"""Reads and writes the life of alerts; what a person may do with one is here, too.

What belongs here: `core.alert_event`. What does not: which event is due (`alert_life.py`), who may (the page).
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select

from include.errors import AlertRefused
from include.monitoring import alert_life, alert_outbox, alerts, retraining
from include.monitoring.alert_life import FIGURES, NewRow, Row
from include.names import AlertEvent
from include.problems.sections.monitor import Monitor
from include.warehouse import training_requests, views
from include.warehouse.locks import try_lock_until_commit
from include.warehouse.tables.classes import CLASS_CALIBRATION
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.monitoring import ALERT_EVENT, CALIBRATION_SUMMARY, FEATURE_DRIFT
from include.warehouse.tables.quantities import QUANTITY_QUALITY

LONGEST_REASON = 1000  # characters
LONGEST_SNOOZE = timedelta(days=90)


def bring_up_to_date(connection: Connection, problem: str, monitor: Monitor, now: datetime) -> list[NewRow]:
    """Write what has happened to a problem's alerts, and who is to be told; give the new events.

    Both are written in the caller's transaction.

    The caller holds the problem (`store.hold_measures`), so that two runs write no event twice.
    """
    before = read_events(connection, problem)
    lives = alert_life.read_lives(before)
    fine_again = _newest_measured(connection, problem, monitor.minimum_rows)
    standing = [row for row in read_open(connection, problem) if row["action"] != "review"]  # the desk's live there
    rows = alert_life.due_events(standing, lives, fine_again, now=now, escalate_after=monitor.escalate_after)
    if rows:
        connection.execute(insert(ALERT_EVENT), rows)
        if monitor.tell is not None:
            alert_outbox.enqueue(connection, monitor.tell, rows)
    more = _follow_trainings(connection, problem, monitor, before, rows, now)
    if more:
        connection.execute(insert(ALERT_EVENT), more)
    return rows + more


def _follow_trainings(
    connection: Connection, problem: str, monitor: Monitor, before: list[Row], rows: list[NewRow], now: datetime
) -> list[NewRow]:
    """Say what came of the trainings that alerts asked for, and whether one is asked for now.

    Args:
        before: everything that had happened.
        rows: what happened just now; it is written.
    """
    waiting = training_requests.read_open(connection, problem)
    decided = (MODEL_VERSION.c.problem == problem, MODEL_VERSION.c.status != "candidate")
    query = select(MODEL_VERSION).where(*decided).order_by(MODEL_VERSION.c.trained_at_utc.desc()).limit(1)
    version = next((dict(row) for row in connection.execute(query).mappings()), None) if waiting else None
    numbers = {row["alert_id"]: row["event_number"] for row in (*before, *rows)}  # in order for each cause
    since = min((row["happened_at_utc"] for row in waiting), default=now)
    plans = training_requests.read_plans(connection, problem, since) if waiting else []
    answers = retraining.due_answers(waiting, numbers, version, plans, now)
    if not monitor.is_retraining:
        return answers
    is_waiting = len(answers) < len(waiting)
    asked = retraining.due_request(rows, before, is_waiting=is_waiting, now=now, retrain_every=monitor.retrain_every)
    return [*answers, asked] if asked is not None else answers


def read_events(connection: Connection, problem: str) -> list[Row]:
    """Read what happened to the alerts of a problem, in order for each cause."""
    query = select(ALERT_EVENT).where(ALERT_EVENT.c.problem == problem).order_by(*ALERT_EVENT.primary_key)
    return [dict(row) for row in connection.execute(query).mappings()]


def read_open(connection: Connection, problem: str) -> list[Row]:
    """Read the alerts that stand and that nobody has closed."""
    return sorted(views.select_rows(connection, "alert_open", problem), key=lambda row: str(row["alert_id"]))


def read_closed(connection: Connection, problem: str, alert_id: str) -> str:
    """Read the newest partition at which a person closed a cause; empty where nobody ever has."""
    ours = (ALERT_EVENT.c.problem == problem, ALERT_EVENT.c.alert_id == alert_id)
    by_person = (ALERT_EVENT.c.event == str(AlertEvent.CLOSED), ALERT_EVENT.c.is_by_person)
    key: str | None = connection.scalar(select(func.max(ALERT_EVENT.c.partition_key)).where(*ours, *by_person))
    return key or ""


def snooze_alert(
    connection: Connection, problem: str, alert_id: str, *, person: str, reason: str, until: datetime, now: datetime
) -> None:
    """Put an alert off: until then it escalates to nobody; it stays on the pages, and may still close by itself.

    Raises:
        AlertRefused: it is not open, a measurement holds it, the reason is blank or too long, or the time is past or
            too far away.
    """
    if not now < until <= now + LONGEST_SNOOZE:
        raise AlertRefused(
            "bad_time", f"An alert is put off for at most {LONGEST_SNOOZE.days} days, and not into the past."
        )
    _add(connection, problem, alert_id, AlertEvent.SNOOZED, person=person, reason=reason, until=until, now=now)


def close_alert(
    connection: Connection, problem: str, alert_id: str, *, person: str, reason: str, now: datetime
) -> None:
    """Close an alert with a reason; a later partition that shows the same cause opens it again.

    Raises:
        AlertRefused: it is not open, a measurement holds it, or the reason is blank or too long.
    """
    _add(connection, problem, alert_id, AlertEvent.CLOSED, person=person, reason=reason, until=None, now=now)


def _add(
    connection: Connection,
    problem: str,
    alert_id: str,
    event: AlertEvent,
    *,
    person: str,
    reason: str,
    until: datetime | None,
    now: datetime,
) -> None:
    """Write what a person did.

    Raises:
        AlertRefused: the alert is not open, a measurement holds it, or the reason is blank or too long.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise AlertRefused("bad_reason", f"Say why, in at most {LONGEST_REASON} characters.")
    # A measurement holds the problem as long as it reads rows: no page waits for that.
    if not try_lock_until_commit(connection, "monitoring", problem):
        raise AlertRefused("busy", f"{problem} is being measured just now; try again in a minute.")
    row = next((row for row in read_open(connection, problem) if row["alert_id"] == alert_id), None)
    life = alert_life.read_lives(read_events(connection, problem)).get(alert_id)
    if row is None or row["action"] == "review":
        raise AlertRefused("not_open", f"{alert_id} of {problem} is not open any more; load the page again.")
    if life is None or not life.is_open:  # it stands since before lives were kept, or since a moment ago
        lives = {} if life is None else {alert_id: life}
        begun = alert_life.due_events([row], lives, {}, now=now, escalate_after=None)
        connection.execute(insert(ALERT_EVENT), begun)
        life = alert_life.read_lives(read_events(connection, problem))[alert_id]
    told = {"actor": person, "is_by_person": True, "reason": reason.strip(), "until_utc": until}
    about = {"problem": problem, "alert_id": alert_id, "event": str(event), "partition_key": row["partition_key"]}
    number = {"event_number": life.last["event_number"] + 1, "happened_at_utc": now}
    happened = about | told | number | {name: row[name] for name in FIGURES}
    connection.execute(insert(ALERT_EVENT), [happened])
    alert_outbox.enqueue(connection, None, [happened])


def _newest_measured(connection: Connection, problem: str, minimum_rows: int) -> dict[str, str]:
    """Name the newest partition that was measured for each cause with rows enough to end an alert."""

    def newest(table: Table, *conditions: ColumnElement[bool]) -> str | None:
        query = select(func.max(table.c.partition_key)).where(table.c.problem == problem, *conditions)
        key: str | None = connection.scalar(query)
        return key

    def has_labels(table: Table) -> tuple[ColumnElement[bool], ...]:
        return (table.c.ece_ratio.is_not(None), table.c.n_labelled >= minimum_rows)

    found: dict[str, str | None] = {}
    query = select(FEATURE_DRIFT.c.feature, func.max(FEATURE_DRIFT.c.partition_key)).where(
        FEATURE_DRIFT.c.problem == problem, FEATURE_DRIFT.c.verdict != alerts.TOO_FEW_ROWS
    )
    for feature, key in connection.execute(query.group_by(FEATURE_DRIFT.c.feature)):
        cause = alerts.drift_cause(feature)
        found[cause] = max(found.get(cause) or key, key)
    found["calibration"] = newest(CALIBRATION_SUMMARY, *has_labels(CALIBRATION_SUMMARY))
    found["coverage"] = newest(QUANTITY_QUALITY, QUANTITY_QUALITY.c.n_labelled >= minimum_rows)
    by_class = select(CLASS_CALIBRATION.c.class_name, func.max(CLASS_CALIBRATION.c.partition_key)).where(
        CLASS_CALIBRATION.c.problem == problem, *has_labels(CLASS_CALIBRATION)
    )
    for name, key in connection.execute(by_class.group_by(CLASS_CALIBRATION.c.class_name)):
        found[f"calibration:{name}"] = key
    return {cause: key for cause, key in found.items() if key is not None}
