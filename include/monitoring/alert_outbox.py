"""Who is told of what happened to an alert, once each: written with what happened, sent afterwards.

What belongs here: `core.alert_message`, and how long a server is waited for. What does not: the text
(`alert_messages.py`), and the notifiers, which are Airflow's.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update

from include.monitoring import alert_messages
from include.monitoring.alert_messages import Happening
from include.monitoring.contracts import MAIL, WEBHOOK, Message
from include.names import AlertEvent
from include.problems.sections.monitor import Recipient, Tell
from include.warehouse.tables.monitoring import ALERT, ALERT_EVENT, ALERT_MESSAGE

Row = Mapping[str, Any]
Send = Callable[[Message], None]
WAITING, TOLD, GIVEN_UP, SILENT = "waiting", "told", "given_up", "silent"
OWNER, ON_CALL = "owner", "on_call"
# The wait doubles from five minutes, so the last attempt is half a day after the first: a night without a mail server.
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(minutes=5)
# A server that hangs costs so long, and all messages of one run together hardly more than that.
LONGEST_SEND_S = 20.0
LONGEST_RUN_S = 120.0
LONGEST_ERROR = 500  # characters
# Where nobody sends for a time (`monitor.tell` was taken out, a DAG paused), what was due then is history.
LONGEST_DELAY = timedelta(days=1)
TOO_LATE = "It was due more than a day ago, and nobody sent it then; the page of alerts says what is open now."


@dataclass
class Told:
    """What came of the messages of one run.

    Attributes:
        n_told: that a server took.
        n_silent: that are never sent: the alert ended while it was snoozed, or nobody had heard that it began.
        n_given_up: that are not tried again.
        n_waiting: that are tried in a later run.
        errors: one sentence for each that was not taken.
    """

    n_told: int = 0
    n_silent: int = 0
    n_given_up: int = 0
    n_waiting: int = 0
    errors: list[str] = field(default_factory=list)


def ways_of(tell: Tell, event: str) -> list[tuple[str, str]]:
    """Name recipient and channel of each message about something that began: opened, or escalated."""
    is_past_owner = event == AlertEvent.ESCALATED and tell.on_call is not None
    name = ON_CALL if is_past_owner else OWNER
    recipient = _recipient(tell, name)
    channels = ((MAIL, recipient.mail), (WEBHOOK, recipient.webhook)) if recipient else ()
    return [(name, channel) for channel, address in channels if address]


def enqueue(connection: Connection, tell: Tell | None, events: Iterable[Row]) -> None:
    """Write who is to be told, in the transaction that writes what happened: neither is there without the other.

    Of the end of an alert hears whoever heard of its life, or still is to; what was opened before anybody was named
    ends quietly.

    Args:
        tell: of the problem's file; None where a page writes, which knows only what a person closed.
        events: rows of `core.alert_event`, which are written.
    """
    for event in events:
        ways: Sequence[tuple[str, str]] = []
        if event["event"] == AlertEvent.CLOSED:
            ways = _ways_before(connection, event)
        elif tell is not None and event["event"] in (AlertEvent.OPENED, AlertEvent.ESCALATED):
            ways = ways_of(tell, event["event"])
        about = {name: event[name] for name in ("problem", "alert_id", "event_number")}
        new = {"status": WAITING, "n_attempts": 0, "next_attempt_at_utc": event["happened_at_utc"]}
        rows = [about | new | {"recipient": recipient, "channel": channel} for recipient, channel in ways]
        if rows:
            connection.execute(insert(ALERT_MESSAGE), rows)


def tell_waiting(
    engine: Engine,
    problem: str,
    tell: Tell,
    send: Send,
    *,
    link: str,
    now: datetime,
    longest_send_s: float = LONGEST_SEND_S,
    longest_run_s: float = LONGEST_RUN_S,
) -> Told:
    """Send what is due, one after the other; no transaction is open, and no row locked, while a server is waited for.

    Each is sent at least once: a message is claimed and counted before it is sent, so that two runs at once do not both
    send it, and one whose process was killed is sent again. A way that failed is left alone for the rest of the run.
    What was due more than a day ago is given up, and what meets a snooze waits until its time is over.

    Args:
        send: gives a message to its notifier; whatever it raises is why it was not taken.
        link: address of the problem's page of alerts.
        now: with a zone; what is due by then is sent.
        longest_send_s: for one message.
        longest_run_s: after that no further one is begun.
    """
    told, failed, ends_at = Told(), set(), time.monotonic() + longest_run_s
    with engine.begin() as connection:
        _give_up_late(connection, told, problem, now)
        due = _read_due(connection, problem, now)
    for row in due:
        way = (row["recipient"], row["channel"])
        if way in failed or time.monotonic() > ends_at:
            told.n_waiting += 1
            continue
        with engine.begin() as connection:
            happening = _read_happening(connection, row, link)
            if (held := _hold_back(connection, row, happening.event, now)) is not None:
                _change(connection, row, **held)
                told.n_silent += held["status"] == SILENT
                told.n_waiting += held["status"] == WAITING
                continue
            if not _claim(connection, row, now):
                continue
        message = _write(row, tell, happening)
        error = "monitor.tell names nobody here any more." if message is None else None
        if message is not None and (error := _send_within(longest_send_s, send, message)) is not None:
            failed.add(way)
        with engine.begin() as connection:
            _note(connection, told, row, error, is_final=message is None)
    return told


def _give_up_late(connection: Connection, told: Told, problem: str, now: datetime) -> None:
    """Give up what nobody sent for too long, and count it."""
    for row in _read_due(connection, problem, now):
        is_late = row["next_attempt_at_utc"] < now - LONGEST_DELAY
        if is_late and _change(connection, row, status=GIVEN_UP, last_error=TOO_LATE):
            told.n_given_up += 1
            told.errors.append(f"{_name(row)}: {TOO_LATE}")


def _note(connection: Connection, told: Told, row: Row, error: str | None, *, is_final: bool) -> None:
    """Write what came of an attempt, and count it."""
    if error is None:
        told.n_told += _settle(connection, row, TOLD, told_at_utc=datetime.now(UTC), last_error=None)
        return
    is_over = is_final or row["n_attempts"] + 1 >= MOST_ATTEMPTS
    _settle(connection, row, GIVEN_UP if is_over else WAITING, last_error=error)
    told.n_given_up += is_over
    told.n_waiting += not is_over
    told.errors.append(f"{_name(row)}: {error}")


def _name(row: Row) -> str:
    return f"{row['alert_id']}, number {row['event_number']}, to {row['recipient']} by {row['channel']}"


def _send_within(longest_s: float, send: Send, message: Message) -> str | None:
    """Send a message, and say why it was not taken; None where it was.

    A library's own limit counts each answer of a server alone, which one that trickles never reaches. The thread ends
    with the process at the latest.
    """
    came: list[str | None] = []

    def run() -> None:
        try:
            send(message)
            came.append(None)
        except Exception as error:  # whatever is wrong with a server must not keep other messages
            came.append(alert_messages.one_line(f"{type(error).__name__}: {error}")[:LONGEST_ERROR])

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(longest_s)
    return came[0] if came else f"The server did not finish within {longest_s:g} seconds."


def _write(row: Row, tell: Tell, happening: Happening) -> Message | None:
    """Write a message; None where the file names no such recipient any more."""
    recipient, channel = _recipient(tell, row["recipient"]), row["channel"]
    if recipient is None or not (recipient.mail if channel == MAIL else recipient.webhook):
        return None
    return Message(
        channel=channel,
        addresses=tuple(recipient.mail) if channel == MAIL else (),
        connection=(recipient.webhook or "") if channel == WEBHOOK else "",
        key="/".join(str(row[name]) for name in ("problem", "alert_id", "event_number", "recipient")),
        subject=alert_messages.write_subject(happening, tell.language),
        text=alert_messages.write_text(happening, tell.language),
        facts=alert_messages.facts_of(happening),
    )


def _recipient(tell: Tell, name: str) -> Recipient | None:
    return tell.owner if name == OWNER else tell.on_call


def _read_due(connection: Connection, problem: str, now: datetime) -> list[Row]:
    """Read what is to be sent now, what was tried least often first: one that nobody takes keeps no other waiting."""
    ours = ALERT_MESSAGE.c.problem == problem, ALERT_MESSAGE.c.status == WAITING
    query = select(ALERT_MESSAGE).where(*ours, ALERT_MESSAGE.c.next_attempt_at_utc <= now)
    order = (ALERT_MESSAGE.c.n_attempts, ALERT_MESSAGE.c.next_attempt_at_utc, *ALERT_MESSAGE.primary_key)
    return [dict(row) for row in connection.execute(query.order_by(*order)).mappings()]


def _read_happening(connection: Connection, row: Row, link: str) -> Happening:
    """Read what a message is about."""
    about = _about(row)
    event = connection.execute(select(ALERT_EVENT).where(*about, _number() == row["event_number"])).mappings().one()
    first = select(ALERT_EVENT).where(*about, _number() == _number_opened(connection, row))
    opened = connection.execute(first).mappings().first() or event
    where = (ALERT.c[name] == event[name] for name in ("problem", "alert_id", "partition_key"))
    alert = connection.execute(select(ALERT).where(*where)).mappings().first()
    return Happening(dict(event), dict(opened), dict(alert) if alert else None, link)


def _hold_back(connection: Connection, row: Row, event: Row, now: datetime) -> dict[str, Any] | None:
    """Say what a message becomes that is not sent now; None where it is.

    That a snoozed alert began is told when its time is over, and never where it ended before that. Of an end hears
    whoever heard of what was before it: it waits for that.
    """
    life = _life(connection, row)
    snooze, closed = (_last(connection, life, kind) for kind in (AlertEvent.SNOOZED, AlertEvent.CLOSED))
    until = None if snooze is None else snooze["until_utc"]
    is_over_before = until is not None and closed is not None and closed["happened_at_utc"] < until
    if event["event"] == AlertEvent.CLOSED:
        before = _statuses_before(connection, row)
        if TOLD in before:
            return None
        return {"status": WAITING if WAITING in before and not is_over_before else SILENT}
    if is_over_before:
        return {"status": SILENT}
    return {"status": WAITING, "next_attempt_at_utc": until} if until is not None and until > now else None


def _life(connection: Connection, row: Row) -> tuple[ColumnElement[bool], ...]:
    """Choose what has happened since an alert was opened as a message says, and before it was opened anew."""
    later = (*_about(row), ALERT_EVENT.c.event == AlertEvent.OPENED, _number() > row["event_number"])
    anew = connection.scalar(select(func.min(_number())).where(*later))
    since = (*_about(row), _number() > _number_opened(connection, row))
    return since if anew is None else (*since, _number() < anew)


def _last(connection: Connection, life: Iterable[ColumnElement[bool]], kind: AlertEvent) -> Row | None:
    """Read the last thing of a kind that happened in a life; None where none did."""
    query = select(ALERT_EVENT).where(*life, ALERT_EVENT.c.event == kind).order_by(_number().desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def _statuses_before(connection: Connection, row: Row) -> set[str]:
    """Name what became of the messages about the same life that went the same way before."""
    same = (ALERT_MESSAGE.c[name] == row[name] for name in ("problem", "alert_id", "recipient", "channel"))
    since = ALERT_MESSAGE.c.event_number >= _number_opened(connection, row)
    before = ALERT_MESSAGE.c.event_number < row["event_number"]
    return set(connection.scalars(select(ALERT_MESSAGE.c.status).where(*same, since, before)))


def _ways_before(connection: Connection, event: Row) -> list[tuple[str, str]]:
    """Name recipient and channel of every message about this life of an alert that was told, or still waits."""
    ours = (ALERT_MESSAGE.c.problem == event["problem"], ALERT_MESSAGE.c.alert_id == event["alert_id"])
    since = ALERT_MESSAGE.c.event_number >= _number_opened(connection, event)
    heard = ALERT_MESSAGE.c.status.in_([TOLD, WAITING])
    query = select(ALERT_MESSAGE.c.recipient, ALERT_MESSAGE.c.channel).where(*ours, since, heard).distinct()
    return sorted((row.recipient, row.channel) for row in connection.execute(query))


def _number_opened(connection: Connection, row: Row) -> int:
    """Give the number with which the life began that something belongs to; 0 where it was never opened."""
    until = (*_about(row), ALERT_EVENT.c.event == AlertEvent.OPENED, _number() <= row["event_number"])
    return connection.scalar(select(func.max(_number())).where(*until)) or 0


def _number() -> ColumnElement[int]:
    return ALERT_EVENT.c.event_number


def _about(row: Row) -> tuple[ColumnElement[bool], ...]:
    return (ALERT_EVENT.c.problem == row["problem"], ALERT_EVENT.c.alert_id == row["alert_id"])


def _claim(connection: Connection, row: Row, now: datetime) -> bool:
    """Count an attempt before it is made; say whether it is ours and not another run's."""
    n_before = row["n_attempts"]
    return _change(connection, row, n_attempts=n_before + 1, next_attempt_at_utc=now + FIRST_WAIT * 2**n_before)


def _change(connection: Connection, row: Row, **values: object) -> bool:
    """Change a message that waits as it was read; say whether no other run was sooner."""
    free = (ALERT_MESSAGE.c.status == WAITING, ALERT_MESSAGE.c.n_attempts == row["n_attempts"])
    return connection.execute(update(ALERT_MESSAGE).where(*_own(row), *free).values(values)).rowcount == 1


def _settle(connection: Connection, row: Row, status: str, **values: object) -> int:
    """Write what came of a message; one."""
    connection.execute(update(ALERT_MESSAGE).where(*_own(row)).values(status=status, **values))
    return 1


def _own(row: Row) -> tuple[ColumnElement[bool], ...]:
    return tuple(column == row[column.name] for column in ALERT_MESSAGE.primary_key)
