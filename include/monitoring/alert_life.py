"""What happens to an alert: it is opened, escalated, put off and closed, by itself or by a person.

What belongs here: which event is due, from what stands and what happened before. What does not: where both are read
(`alert_history.py`), and which findings are alerts (`alerts.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.monitoring.lateness import LATE
from include.names import AlertEvent

Row = Mapping[str, Any]
NewRow = dict[str, Any]
FIGURES = ("metric", "subject", "value", "bound")
MONITOR = "monitor"


@dataclass(frozen=True)
class AlertLife:
    """Where an alert stands in its life.

    Attributes:
        last: newest row of `core.alert_event`.
        is_open: whether it was opened and not closed since.
        is_escalated: whether it was escalated since it was opened.
        waits_since: from when its time until an escalation counts: opened, or the end of the newest snooze.
    """

    last: Row
    is_open: bool
    is_escalated: bool
    waits_since: datetime


def read_lives(events: Iterable[Row]) -> dict[str, AlertLife]:
    """Say where each alert stands.

    Args:
        events: rows of `core.alert_event` of one problem; their numbers, not their times, say the order.

    Returns:
        cause to its life.
    """
    lives: dict[str, AlertLife] = {}
    for row in sorted(events, key=lambda event: (event["alert_id"], event["event_number"])):
        before, event = lives.get(row["alert_id"]), row["event"]
        if event == AlertEvent.OPENED or before is None:
            life = AlertLife(row, event != AlertEvent.CLOSED, event == AlertEvent.ESCALATED, row["happened_at_utc"])
        elif event == AlertEvent.SNOOZED:
            life = AlertLife(row, before.is_open, before.is_escalated, row["until_utc"])
        else:
            is_escalated = before.is_escalated or event == AlertEvent.ESCALATED
            life = AlertLife(row, before.is_open and event != AlertEvent.CLOSED, is_escalated, before.waits_since)
        lives[row["alert_id"]] = life
    return lives


def due_events(
    standing: Iterable[Row],
    lives: Mapping[str, AlertLife],
    fine_again: Mapping[str, str],
    *,
    now: datetime,
    escalate_after: timedelta | None,
) -> list[NewRow]:
    """Say what happens now: to what stands and is not open, to what is open and stands no more, and to what waits.

    Args:
        standing: rows of `bi.alert_open`: what the newest partitions show, and nobody has closed.
        lives: from `read_lives`.
        fine_again: cause to the newest partition that was measured for it, where one was.
        escalate_after: how long an alert may wait for a person; None for ever.

    Returns:
        rows of `core.alert_event`, by cause; none where nothing has changed, so that running again adds nothing.
    """
    rows, wanted = [], {row["alert_id"]: row for row in standing}
    for cause, row in sorted(wanted.items()):
        life = lives.get(cause)
        number = life.last["event_number"] + 1 if life is not None else 1
        if life is None or not life.is_open:
            rows.append(new_event(row, number, AlertEvent.OPENED, row["message"], now))
            life, number = AlertLife(rows[-1], True, False, now), number + 1
        reason = None if life.is_escalated else escalation_reason(row["action"], life.waits_since, now, escalate_after)
        if reason is not None:
            rows.append(new_event(row, number, AlertEvent.ESCALATED, reason, now))
    for cause, life in sorted(lives.items()):
        if life.is_open and cause not in wanted:
            key = fine_again.get(cause)
            reason = f"{key} was fine again." if key is not None else "It is measured no longer."
            reason = "No partition is late any more." if cause == LATE else reason
            row = {**life.last, "partition_key": key or life.last["partition_key"]}
            rows.append(new_event(row, life.last["event_number"] + 1, AlertEvent.CLOSED, reason, now))
    return rows


def escalation_reason(
    action: str, waits_since: datetime, now: datetime, escalate_after: timedelta | None
) -> str | None:
    """Say why an alert goes to whoever is on call; None while it does not.

    A snooze holds up both kinds: `waits_since` is then later than now. A clock that was set back holds them up, too.
    """
    if now < waits_since:
        return None
    if action == "escalate":
        return "monitor.action is escalate."
    if escalate_after is not None and now - waits_since >= escalate_after:
        return f"Nobody closed or snoozed it within {escalate_after}."
    return None


def new_event(row: Row, number: int, event: AlertEvent, reason: str, now: datetime) -> NewRow:
    """Make a row of something that no person did."""
    return {
        "problem": row["problem"],
        "alert_id": row["alert_id"],
        "event_number": number,
        "event": str(event),
        "partition_key": row["partition_key"],
        "is_by_person": False,
        "actor": MONITOR,
        "reason": reason,
        "until_utc": None,
        **{name: row[name] for name in FIGURES},
        "happened_at_utc": now,
    }
