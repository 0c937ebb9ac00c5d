"""What people do with an item: answer, skip, escalate, take it back, open it, leave it.

What belongs here: one function for each, in a transaction of its own, with its row in the audit. What does not: which
seat is whose (`seats.py`), what a page shows (`desk.py`), whether somebody may at all (the page and `people.py`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, delete, func, select
from sqlalchemy.exc import IntegrityError

from include.errors import DeskRefused
from include.problems.schema import Problem
from include.review import audit, batches, seats
from include.review.audit import Request
from include.review.content import clean_text
from include.review.finishing import finish_batch_if_complete
from include.review.refusals import Refusal
from include.review.seats import Place, Seat
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM

LONGEST_TEXT = 2_000  # characters of a note or a reason

Change = tuple[Mapping[str, Any] | None, dict[str, Any]]  # what stood there, what stands there now


def read_clock(connection: Connection) -> datetime:
    """Ask the database what time it is: the one clock that all servers of a desk share."""
    return connection.scalar(select(func.now()))  # type: ignore[return-value]


def perform(
    engine: Engine, request: Callable[[datetime], Request], change: Callable[[Connection, Request], Change]
) -> dict[str, Any]:
    """Do what a request asks, once: a request that was done before gives what it gave then.

    Args:
        request: the request, given the database's clock.
        change: does it inside the transaction; gives what stood there and what stands there now.

    Returns:
        what stands there now.

    Raises:
        DeskRefused: it was refused; the refusal is in the audit, and nothing else changed.
    """
    try:
        return _perform_once(engine, request, change)
    except IntegrityError:
        # The same request came twice at the same moment, or one person's two tabs met: the other one is done by now.
        return _perform_once(engine, request, change)


def _perform_once(
    engine: Engine, request: Callable[[datetime], Request], change: Callable[[Connection, Request], Change]
) -> dict[str, Any]:
    try:
        with engine.begin() as connection:
            asked = request(read_clock(connection))
            done = audit.find_done(connection, asked)
            if done is not None:
                return dict(done)
            before, after = change(connection, asked)
            audit.write_done(connection, asked, before, after)
            return after
    except DeskRefused as error:
        # What was begun is taken back; the refusal is kept. Savepoints would keep both in one transaction, and cost
        # every answer that is not refused two more questions to the database.
        with engine.begin() as connection:
            audit.write_refused(connection, request(read_clock(connection)), error.code, dict(error.values))
        raise


def give_answer(
    connection: Connection,
    request: Request,
    problem: Problem,
    label: str,
    note: str | None,
    looked_ms: int | None,
) -> Change:
    """Store a person's answer to the item they hold, with what they saw of it.

    Args:
        looked_ms: how long the page was looked at, as the page says; it is believed up to the time since the item was
            shown.

    Raises:
        DeskRefused: the batch is finished or unknown, the answer no class, the item not theirs or still covered.
    """
    require_open(connection, request.place)
    classes = problem.label.classes if problem.label else []
    if label not in classes:
        raise DeskRefused(Refusal.UNKNOWN_CLASS, label=label[: audit.LONGEST_NAME], classes=list(classes))
    seat = _require_seat(connection, request)
    if (seat["shown"] or {}).get("was_covered"):
        raise DeskRefused(Refusal.COVERED)  # nobody answers what they have not seen
    row = request.place.names | {
        "labelled_by": request.person,
        "label": label,
        "arm": _find_arm(connection, request.place),
        "is_demo": False,
        "labelled_at_utc": request.now,
        "duration_ms": _duration_ms(seat, request.now, looked_ms),
        "note": _text(note) or None,
        "shown": seat["shown"],
    }
    upsert_rows(connection, LABEL, [row])
    seats.settle(connection, seat, Seat.ANSWERED)
    after = {name: row[name] for name in ("label", "note", "duration_ms")}
    return {"state": seat["state"]}, after | {"item_id": request.place.item_id, "shown": seat["shown"]}


def pass_on(connection: Connection, request: Request, reason: str, looked_ms: int | None) -> Change:
    """Skip an item, so that somebody else answers it, or escalate it, so that nobody is asked before a lead is.

    Raises:
        DeskRefused: no reason, the batch is finished or unknown, the item not theirs.
    """
    require_open(connection, request.place)
    if not (reason := _text(reason)):
        raise DeskRefused(Refusal.REASON_MISSING)
    seat = _require_seat(connection, request)
    row = request.place.names | {
        "person": request.person,
        "action": request.action,
        "reason": reason,
        "passed_at_utc": request.now,
        "duration_ms": _duration_ms(seat, request.now, looked_ms),
        "shown": seat["shown"],
    }
    upsert_rows(connection, REVIEW_PASS, [row])
    seats.give_back(connection, seat)
    if seats.is_given_up(connection, request.place):
        seats.let_go(connection, request.place)
    return {"state": seat["state"]}, {"item_id": request.place.item_id, "reason": reason}


def take_back(connection: Connection, request: Request, lease: timedelta) -> Change:
    """Take back a person's own answer, skip or escalation while the batch is open, and give them the item again.

    Raises:
        DeskRefused: the batch is finished, they did nothing with this item, or somebody else has it by now.
    """
    require_open(connection, request.place)
    seat = seats.find_own(connection, request.place, request.person)
    if seat is not None and seat["state"] == Seat.ANSWERED:
        mine = _rows_of(LABEL, request.place, LABEL.c.labelled_by == request.person)
        taken = connection.execute(delete(LABEL).where(*mine).returning(LABEL.c.label, LABEL.c.note)).mappings().one()
    else:
        mine = _rows_of(REVIEW_PASS, request.place, REVIEW_PASS.c.person == request.person)
        gone = delete(REVIEW_PASS).where(*mine).returning(REVIEW_PASS.c.action, REVIEW_PASS.c.reason)
        found = connection.execute(gone).mappings().one_or_none()
        if found is None:
            raise DeskRefused(Refusal.NOTHING_TO_UNDO)
        taken, seat = found, _open_seat(connection, request)
    seats.take_back(connection, seat, person=request.person, now=request.now, lease=lease)
    return dict(taken), {"item_id": request.place.item_id}


def open_cover(connection: Connection, request: Request) -> Change:
    """Note that a person uncovered a sensitive item that they hold.

    Raises:
        DeskRefused: the batch is finished or unknown, the item not theirs.
    """
    require_open(connection, request.place)
    seat = _require_seat(connection, request)
    shown = dict(seat["shown"] or {}) | {"was_covered": False}
    seats.write_shown(connection, seat, shown)
    return {"was_covered": True}, {"item_id": request.place.item_id, "was_covered": False}


def leave(connection: Connection, request: Request) -> Change:
    """Give back what a person holds of a batch, so that nobody has to wait until it expires."""
    given_back = seats.give_back_all(connection, request.place, request.person)
    return None, {"given_back": given_back}


def finish_if_nothing_waits(engine: Engine, problem: str, batch_id: str, person: str) -> bool:
    """Close a batch that nothing waits in; to be called after the transaction of the last answer.

    Two last answers at the same moment each see the other as still waiting; after both are written, the one that looks
    last sees none.

    Returns:
        whether this call finished it: then somebody must announce its labels.
    """
    with engine.begin() as connection:
        if seats.is_anything_waiting(connection, problem, batch_id):
            return False
        batches.hold_desk(connection, problem)
        if batches.find_batch(connection, problem, batch_id)["status"] != batches.OPEN:
            return False
        now = read_clock(connection)
        if not finish_batch_if_complete(connection, problem, batch_id, now):
            return False
        request = Request("finish", person, Place(problem, batch_id), now)
        audit.write_done(connection, request, {"status": batches.OPEN}, {"status": batches.ANSWERED})
    return True


def require_open(connection: Connection, place: Place) -> RowMapping:
    """Read the batch, and refuse what comes too late.

    Raises:
        DeskRefused: there is no such batch, or it is finished.
    """
    query = select(REVIEW_BATCH).where(
        REVIEW_BATCH.c.problem == place.problem, REVIEW_BATCH.c.batch_id == place.batch_id
    )
    batch = connection.execute(query).mappings().one_or_none()
    if batch is None:
        raise DeskRefused(Refusal.UNKNOWN_BATCH, batch=place.batch_id[: audit.LONGEST_NAME])
    if batch["status"] != batches.OPEN:
        raise DeskRefused(Refusal.FINISHED_BATCH, batch=place.batch_id)
    return batch


def _require_seat(connection: Connection, request: Request) -> RowMapping:
    """Read the seat that a person holds.

    A lease that is over, while nobody else has taken the item, harms nobody: the answer counts.

    Raises:
        DeskRefused: the item is not in the batch, was answered or let go, or is not theirs.
    """
    seat = seats.find_own(connection, request.place, request.person)
    if seat is not None and seat["state"] == Seat.TAKEN:
        return seat
    if seat is not None:
        mine = _rows_of(LABEL, request.place, LABEL.c.labelled_by == request.person)
        label = connection.scalar(select(LABEL.c.label).where(*mine))
        raise DeskRefused(Refusal.ANSWERED_ALREADY, label=label)
    states = {str(row["state"]) for row in seats.read_seats(connection, request.place)}
    if not states:
        raise DeskRefused(Refusal.UNKNOWN_ITEM, batch=request.place.batch_id)
    raise DeskRefused(Refusal.LET_GO if states == {Seat.PASSED} else Refusal.NOT_HELD)


def _open_seat(connection: Connection, request: Request) -> RowMapping:
    """Find the seat of an item that is to be asked again.

    Raises:
        DeskRefused: somebody else has it by now.
    """
    if not seats.is_given_up(connection, request.place):
        seats.ask_again(connection, request.place)
    for seat in seats.read_seats(connection, request.place):
        if seat["state"] == Seat.OPEN:
            return seat
    raise DeskRefused(Refusal.NOT_HELD)


def _find_arm(connection: Connection, place: Place) -> str:
    """Read what chose an item."""
    return str(connection.execute(select(REVIEW_ITEM.c.arm).where(*_rows_of(REVIEW_ITEM, place))).scalar_one())


def _rows_of(table: Any, place: Place, *more: Any) -> list[Any]:
    """Select the rows of a table that are about one item."""
    return [*(table.c[name] == value for name, value in place.names.items()), *more]


def _duration_ms(seat: RowMapping, now: datetime, looked_ms: int | None) -> int:
    """Say how long an item was looked at; a page cannot have been looked at longer than it was there."""
    since_shown = max(0, round((now - seat["taken_at_utc"]).total_seconds() * 1000))
    longest: int = min(since_shown, 2**31 - 1)
    return longest if looked_ms is None else min(max(0, looked_ms), longest)


def _text(text: str | None) -> str:
    """Tidy what a person wrote.

    Raises:
        DeskRefused: it is too long.
    """
    tidy = clean_text(text or "").strip()
    if len(tidy) > LONGEST_TEXT:
        raise DeskRefused(Refusal.TEXT_TOO_LONG, length=len(tidy), longest=LONGEST_TEXT)
    return tidy
