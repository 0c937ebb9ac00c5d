"""What people do with an item, inside the transaction of their request: answer, pass on, take back, finish.

What belongs here: the rules. What does not: the request and its row in the audit (`desk/audit.py`), which assignment is
whose (`batches/assignments.py`), what a page shows (`desk/service.py`), whether somebody may at all (the page and
`desk/permissions.py`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Table, delete, select

from include.errors import DeskRefused
from include.problems.answer_text import Allowed, one_text
from include.problems.schema import Problem
from include.review.batches import assignments
from include.review.batches import store as batches
from include.review.batches.assignments import AssignmentState, Place
from include.review.batches.completion import finish_batch_if_complete
from include.review.desk import audit
from include.review.desk.audit import Request
from include.review.desk.refusals import Refusal
from include.review.selection.content import clean_text
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM

LONGEST_TEXT = 2_000  # characters of a note or a reason

Change = tuple[Mapping[str, object] | None, dict[str, object]]  # what stood there, what stands there now


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
    classes = Allowed(problem.label)
    label = str(one_text(label, problem.label))
    if label not in classes:
        raise DeskRefused(Refusal.UNKNOWN_CLASS, label=label[: audit.LONGEST_NAME], classes=list(classes))
    assignment = require_assignment(connection, request)
    if (assignment["shown"] or {}).get("was_covered"):
        raise DeskRefused(Refusal.COVERED)  # nobody answers what they have not seen
    arm = connection.execute(select(REVIEW_ITEM.c.arm).where(*_rows_of(REVIEW_ITEM, request.place))).scalar_one()
    row = request.place.names | {
        "labelled_by": request.person,
        "label": label,
        "arm": arm,
        "is_demo": False,
        "labelled_at_utc": request.now,
        "duration_ms": _duration_ms(assignment, request.now, looked_ms),
        "note": tidy_text(note) or None,
        "shown": assignment["shown"],
    }
    upsert_rows(connection, LABEL, [row])
    assignments.settle(connection, assignment, AssignmentState.ANSWERED)
    after = {name: row[name] for name in ("label", "note", "duration_ms")}
    return {"state": assignment["state"]}, after | {"item_id": request.place.item_id, "shown": assignment["shown"]}


def pass_on(connection: Connection, request: Request, reason: str, looked_ms: int | None) -> Change:
    """Skip an item, so that somebody else answers it, or escalate it, so that nobody is asked before a lead is.

    Raises:
        DeskRefused: no reason, the batch is finished or unknown, the item not theirs.
    """
    require_open(connection, request.place)
    if not (reason := tidy_text(reason)):
        raise DeskRefused(Refusal.REASON_MISSING)
    assignment = require_assignment(connection, request)
    row = request.place.names | {
        "person": request.person,
        "action": request.action,
        "reason": reason,
        "passed_at_utc": request.now,
        "duration_ms": _duration_ms(assignment, request.now, looked_ms),
        "shown": assignment["shown"],
    }
    upsert_rows(connection, REVIEW_PASS, [row])
    assignments.give_back(connection, assignment)
    if assignments.is_given_up(connection, request.place):
        assignments.let_go(connection, request.place)
    return {"state": assignment["state"]}, {"item_id": request.place.item_id, "reason": reason}


def take_back(connection: Connection, request: Request, lease: timedelta) -> Change:
    """Take back a person's own answer, skip or escalation while the batch is open, and give them the item again.

    Raises:
        DeskRefused: the batch is finished, they did nothing with this item, or somebody else has it by now.
    """
    require_open(connection, request.place)
    assignment = assignments.find_own(connection, request.place, request.person)
    if assignment is not None and assignment["state"] == AssignmentState.ANSWERED:
        mine = _rows_of(LABEL, request.place, LABEL.c.labelled_by == request.person)
        taken = connection.execute(delete(LABEL).where(*mine).returning(LABEL.c.label, LABEL.c.note)).mappings().one()
    else:
        mine = _rows_of(REVIEW_PASS, request.place, REVIEW_PASS.c.person == request.person)
        gone = delete(REVIEW_PASS).where(*mine).returning(REVIEW_PASS.c.action, REVIEW_PASS.c.reason)
        found = connection.execute(gone).mappings().one_or_none()
        if found is None:
            raise DeskRefused(Refusal.NOTHING_TO_UNDO)
        taken, assignment = found, _open_assignment(connection, request)
    assignments.take_back(connection, assignment, person=request.person, now=request.now, lease=lease)
    return dict(taken), {"item_id": request.place.item_id}


def withdraw(connection: Connection, request: Request, replaced: Collection[str]) -> None:
    """Take back what a person said of an item before they corrected themselves, if it had arrived.

    A page that lost its connection does not know whether it had.

    Args:
        replaced: names of the requests that this one stands in for.

    Raises:
        DeskRefused: it had arrived, and cannot be taken back any more.
    """
    if not audit.was_any_done(connection, request.person, request.place, replaced):
        return
    try:
        take_back(connection, request, timedelta(0))  # what follows in this transaction settles the assignment anew
    except DeskRefused as error:
        if error.code != Refusal.NOTHING_TO_UNDO:  # it was taken back already
            raise


def finish_if_nothing_waits(engine: Engine, problem: str, batch_id: str, person: str) -> bool:
    """Close a batch that nothing waits in; to be called after the transaction of the last answer.

    Two last answers at the same moment each see the other as still waiting; after both are written, the one that looks
    last sees none.

    Returns:
        whether this call finished it: then somebody must announce its labels.
    """
    with engine.begin() as connection:
        if assignments.is_anything_waiting(connection, problem, batch_id):
            return False
        batches.hold_desk(connection, problem)
        if batches.find_batch(connection, problem, batch_id)["status"] != batches.OPEN:
            return False
        now = audit.read_clock(connection)
        if not finish_batch_if_complete(connection, problem, batch_id, now):
            return False
        request = Request("finish", person, Place(problem, batch_id), now)
        audit.write_finished(connection, request, {"status": batches.OPEN}, {"status": batches.ANSWERED})
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


def require_assignment(connection: Connection, request: Request) -> RowMapping:
    """Read the assignment that a person holds.

    A lease that is over, while nobody else has taken the item, harms nobody: the answer counts.

    Raises:
        DeskRefused: the item is not in the batch, was answered or let go, or is not theirs.
    """
    assignment = assignments.find_own(connection, request.place, request.person)
    if assignment is not None and assignment["state"] == AssignmentState.TAKEN:
        return assignment
    if assignment is not None:
        mine = _rows_of(LABEL, request.place, LABEL.c.labelled_by == request.person)
        label = connection.scalar(select(LABEL.c.label).where(*mine))
        raise DeskRefused(Refusal.ANSWERED_ALREADY, label=label)
    states = {str(row["state"]) for row in assignments.read_assignments(connection, request.place)}
    if not states:
        raise DeskRefused(Refusal.UNKNOWN_ITEM, batch=request.place.batch_id)
    raise DeskRefused(Refusal.LET_GO if states == {AssignmentState.PASSED} else Refusal.NOT_HELD)


def _open_assignment(connection: Connection, request: Request) -> RowMapping:
    """Find the assignment of an item that is to be asked again.

    Raises:
        DeskRefused: somebody else has it by now.
    """
    if not assignments.is_given_up(connection, request.place):
        assignments.ask_again(connection, request.place)
    for assignment in assignments.read_assignments(connection, request.place):
        if assignment["state"] == AssignmentState.OPEN:
            return assignment
    raise DeskRefused(Refusal.NOT_HELD)


def _rows_of(table: Table, place: Place, *more: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Select the rows of a table that are about one item."""
    return [*(table.c[name] == value for name, value in place.names.items()), *more]


def _duration_ms(assignment: RowMapping, now: datetime, looked_ms: int | None) -> int:
    """Say how long an item was looked at; a page cannot have been looked at longer than it was there."""
    since_shown = max(0, round((now - assignment["taken_at_utc"]).total_seconds() * 1000))
    longest: int = min(since_shown, 2**31 - 1)
    return longest if looked_ms is None else min(max(0, looked_ms), longest)


def tidy_text(text: str | None) -> str:
    """Tidy what a person wrote.

    Raises:
        DeskRefused: it is too long.
    """
    tidy = clean_text(text or "").strip()
    if len(tidy) > LONGEST_TEXT:
        raise DeskRefused(Refusal.TEXT_TOO_LONG, length=len(tidy), longest=LONGEST_TEXT)
    return tidy
