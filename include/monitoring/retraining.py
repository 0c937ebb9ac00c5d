"""When an alert asks for a training, and what came of it: a request must bring a better model, never a circle.

What belongs here: which event is due, from what happened. What does not: where it is read (`alert_history.py`), and
what is fitted then (`include/learning`).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from include.monitoring.alert_life import NewRow, new_event
from include.monitoring.lateness import LATE
from include.names import AlertEvent

Row = Mapping[str, Any]


def due_request(
    opened: Iterable[Row], before: Collection[Row], *, is_waiting: bool, now: datetime, retrain_every: timedelta
) -> NewRow | None:
    """Say whether a training is asked for now, because of what has just been opened; one is enough for several causes.

    A new model may raise alerts of its own, about the same partitions or later ones. So an alert asks when it is opened
    and never while it stands; a cause asks once for a partition; nobody asks while a request waits; and nobody asks
    within `retrain_every` of the last one.

    Args:
        opened: rows of `core.alert_event` that were written just now.
        before: all earlier ones of the problem.
        is_waiting: whether a request is open: no version was decided since.
        retrain_every: of `monitor`.

    Returns:
        a row of `core.alert_event`; None where nothing is asked for.
    """
    asked = [row for row in before if row["event"] == AlertEvent.RETRAIN_ASKED]
    is_too_soon = any(now - row["happened_at_utc"] < retrain_every for row in asked)
    if is_waiting or is_too_soon:
        return None
    known = {(row["alert_id"], row["partition_key"]) for row in asked}
    newest = {row["alert_id"]: row for row in opened if row["event"] in (AlertEvent.OPENED, AlertEvent.ESCALATED)}
    for row in opened:
        is_new = row["event"] == AlertEvent.OPENED and (row["alert_id"], row["partition_key"]) not in known
        if is_new and row["alert_id"] != LATE:  # no model brings a partition
            number = newest[row["alert_id"]]["event_number"] + 1
            reason = "A training was asked for: monitor.action is retrain."
            return new_event(row, number, AlertEvent.RETRAIN_ASKED, reason, now)
    return None


def due_answers(
    waiting: Iterable[Row],
    numbers: Mapping[str, int],
    version: Row | None,
    plans: Collection[datetime],
    now: datetime,
) -> list[NewRow]:
    """Say what came of the requests that wait: which version was planned and decided since, and how.

    A training that was under way already when it was asked for answers nothing. One training of a problem whose labels
    come in a log runs at a time, so a version that was fitted after a planning is of that planning, or of a later one.

    Args:
        waiting: open requests, rows of `core.alert_event`.
        numbers: cause to the number of the last thing that happened to it.
        version: model_version, trained_through, trained_at_utc and status of the newest that the gate has decided; None
            without any.
        plans: when trainings of the problem were planned.
    """
    return [
        new_event(row, numbers[row["alert_id"]] + 1, AlertEvent.RETRAINED, _say(version), now)
        for row in waiting
        if version is not None and any(row["happened_at_utc"] <= at < version["trained_at_utc"] for at in plans)
    ]


def _say(version: Row) -> str:
    """Name a version and what the gate said of it."""
    status = str(version["status"]).replace("_", " ")
    return f"{version['model_version']} was trained through {version['trained_through']}: {status}."
