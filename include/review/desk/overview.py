"""What the desk shows beside an item: lists of batches, how far they are, and how they went.

What belongs here: reading for the page. What does not: what people do (`desk/service.py`), one item
(`desk/item_view.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from sqlalchemy import Connection, RowMapping, case, func, select

from include.errors import DeskRefused
from include.problems.schema import Problem
from include.review.batches import assignments, blocks, trust
from include.review.batches import store as batches
from include.review.batches.assignments import AssignmentState, Place
from include.review.desk import actions, audit, reports
from include.review.desk.permissions import Person, is_lead, skills_of
from include.review.desk.refusals import Refusal
from include.review.desk.reports import AgreementReport, PersonReport
from include.warehouse.tables.desk import REVIEW_CONTENT, REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import LABEL, LABEL_FLAG, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.trusted_labels import Trust

N_FINISHED = 5  # of the finished batches that are listed
EXCERPT = 160  # characters that remind a person of an item
Row = dict[str, object]  # for the page, which gets it as JSON


class OpenBatch(TypedDict):
    """One open batch in a person's list: answers wanted and had, and whether any item is free for them."""

    problem: str
    title: str
    why: str
    batch_id: str
    round_number: int
    due_at_utc: str
    is_overdue: bool
    n_seats: int
    n_settled: int
    is_anything_free: bool
    is_lead: bool


def list_batches(connection: Connection, problems: Mapping[str, Problem], person: Person) -> list[OpenBatch]:
    """List the open batches of some problems, the one that is due first at the top.

    Returns:
        for each: problem, batch_id, due_at_utc, is_overdue, n_seats and n_settled (answers wanted and had),
        is_anything_free (for this person).
    """
    now = audit.read_clock(connection)
    settled = func.count().filter(REVIEW_SEAT.c.state.in_([AssignmentState.ANSWERED, AssignmentState.PASSED]))
    query = (
        select(REVIEW_BATCH, func.count().label("n_seats"), settled.label("n_settled"))
        .join(
            REVIEW_SEAT,
            (REVIEW_SEAT.c.problem == REVIEW_BATCH.c.problem) & (REVIEW_SEAT.c.batch_id == REVIEW_BATCH.c.batch_id),
        )
        .where(REVIEW_BATCH.c.status == batches.OPEN, REVIEW_BATCH.c.problem.in_(list(problems)))
        .group_by(*REVIEW_BATCH.primary_key)
        .order_by(REVIEW_BATCH.c.due_at_utc, REVIEW_BATCH.c.problem)
    )
    return [_describe(connection, row, problems, person, now) for row in connection.execute(query).mappings()]


def list_finished(connection: Connection, problems: Mapping[str, Problem], person: Person) -> list[Row]:
    """List the newest finished batches in which a person answered, or which they lead: how it went is told afterwards.

    Returns:
        problem, title, batch_id, round_number, answered_at_utc; the newest first.
    """
    led = [name for name, problem in problems.items() if is_lead(person, problem)]
    answered = select(LABEL.c.item_id).where(
        batches.same_batch(LABEL, REVIEW_BATCH), LABEL.c.labelled_by == person.name
    )
    query = (
        select(*(REVIEW_BATCH.c[name] for name in ("problem", "batch_id", "round_number", "answered_at_utc")))
        .where(
            REVIEW_BATCH.c.status == batches.ANSWERED,
            REVIEW_BATCH.c.problem.in_(list(problems)),
            answered.exists() | REVIEW_BATCH.c.problem.in_(led),
        )
        .order_by(REVIEW_BATCH.c.answered_at_utc.desc(), REVIEW_BATCH.c.problem)
        .limit(N_FINISHED)
    )
    rows = connection.execute(query).mappings()
    return [
        {**row, "answered_at_utc": row["answered_at_utc"].isoformat(), "title": problems[row["problem"]].title}
        for row in rows
    ]


def read_progress(connection: Connection, place: Place, person: Person, since: datetime) -> Row:
    """Count how far a batch is, and what a person has done since a moment, such as their own midnight.

    Returns:
        n_seats, n_settled, n_mine (of this batch), n_today (of all), last_item_id: what could be taken back.
    """
    settled = REVIEW_SEAT.c.state.in_([AssignmentState.ANSWERED, AssignmentState.PASSED])
    mine = (REVIEW_SEAT.c.person == person.name) & (REVIEW_SEAT.c.state == AssignmentState.ANSWERED)
    row = connection.execute(
        select(
            func.count().label("n_seats"),
            func.coalesce(func.sum(case((settled, 1), else_=0)), 0).label("n_settled"),
            func.coalesce(func.sum(case((mine, 1), else_=0)), 0).label("n_mine"),
        ).where(*place.batch)
    ).one()
    today = select(func.count()).where(LABEL.c.labelled_by == person.name, LABEL.c.labelled_at_utc >= since)
    return {
        "n_seats": row.n_seats,
        "n_settled": row.n_settled,
        "n_mine": row.n_mine,
        "n_today": connection.scalar(today) or 0,
        "last_item_id": _last_item(connection, place, person),
    }


def summarise(connection: Connection, problem: Problem, batch_id: str, person: Person) -> Row:
    """Say how a person did in a batch that is finished: agreement with known answers, and with others.

    Returns:
        what `reports.summarise_person` gives, and `notes`: what people wrote beside their answers (note, label, the
        beginning of the item; a lead is told who).

    Raises:
        DeskRefused: the batch is unknown, or still open: known answers are no secret only afterwards.
    """
    place = Place(problem.name, batch_id)
    _require_finished(connection, place)
    notes = _read_notes(connection, place, is_for_lead=is_lead(person, problem))
    return {**reports.summarise_person(connection, place, person.name), "notes": notes}


def report_people(connection: Connection, problem: Problem, person: Person) -> list[PersonReport]:
    """Report on everybody who answers for a problem, to a lead.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    require_lead(problem, person)
    return reports.report_people(connection, problem.name)


def report_agreement(connection: Connection, problem: Problem, person: Person) -> list[AgreementReport]:
    """Report how well the people of a problem agree, to a lead.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    require_lead(problem, person)
    return reports.report_agreement(connection, problem.name)


def list_flags(connection: Connection, problem: Problem, person: Person) -> list[Row]:
    """List whose answers nobody relies on until a lead has looked, and what was decided, to a lead.

    Returns:
        batch_id, labelled_by, n_labels, reason, flagged_at_utc, status, decided_by; those that wait first.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    require_lead(problem, person)
    names = ("batch_id", "labelled_by", "n_labels", "reason", "status", "decided_by")
    return [
        {name: row[name] for name in names} | {"flagged_at_utc": row["flagged_at_utc"].isoformat()}
        for row in trust.read_flags(connection, problem.name)
    ]


def list_blocks(connection: Connection, problem: Problem, person: Person) -> list[Row]:
    """List whom a lead has blocked, to a lead.

    Returns:
        labelled_by, n_labels, reason, blocked_by, blocked_at_utc; only blocks that stand.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    require_lead(problem, person)
    names = ("labelled_by", "n_labels", "reason", "blocked_by")
    return [
        {name: row[name] for name in names} | {"blocked_at_utc": row["blocked_at_utc"].isoformat()}
        for row in blocks.read_blocks(connection, problem.name)
        if row["lifted_at_utc"] is None
    ]


def count_flags(connection: Connection, problems: Mapping[str, Problem], person: Person) -> list[Row]:
    """Count whose answers wait for a lead, for each problem that a person leads and that has any.

    Returns:
        problem, title, n_flags.
    """
    led = [name for name, problem in problems.items() if is_lead(person, problem)]
    query = (
        select(LABEL_FLAG.c.problem, func.count().label("n_flags"))
        .where(LABEL_FLAG.c.problem.in_(led), LABEL_FLAG.c.status == Trust.WAITING)
        .group_by(LABEL_FLAG.c.problem)
        .order_by(LABEL_FLAG.c.problem)
    )
    return [{**row, "title": problems[row["problem"]].title} for row in connection.execute(query).mappings()]


def require_lead(problem: Problem, person: Person) -> None:
    """Refuse what is about people to everybody but their leads.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    if not is_lead(person, problem):
        raise DeskRefused(Refusal.LEADS_ONLY, lead=problem.escalation)


def _read_notes(connection: Connection, place: Place, *, is_for_lead: bool) -> list[Row]:
    """Read what people wrote beside their answers, in the order of the items."""
    query = (
        select(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.label, LABEL.c.note, REVIEW_CONTENT.c.fields)
        .join(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .outerjoin(REVIEW_CONTENT, batches.same_item(LABEL, REVIEW_CONTENT))
        .where(LABEL.c.problem == place.problem, LABEL.c.batch_id == place.batch_id, LABEL.c.note.is_not(None))
        .order_by(REVIEW_ITEM.c.position, LABEL.c.labelled_by)
    )
    return [
        {
            "note": row.note,
            "label": row.label,
            "person": row.labelled_by if is_for_lead else None,
            "excerpt": next((field["value"][:EXCERPT] for field in row.fields or [] if field["value"]), row.item_id),
        }
        for row in connection.execute(query)
    ]


def _describe(
    connection: Connection, row: RowMapping, problems: Mapping[str, Problem], person: Person, now: datetime
) -> OpenBatch:
    """Describe one batch in the list."""
    problem = problems[row["problem"]]
    return {
        "problem": problem.name,
        "title": problem.title,
        "why": problem.why,
        "batch_id": row["batch_id"],
        "round_number": row["round_number"],
        "due_at_utc": row["due_at_utc"].isoformat(),
        "is_overdue": now > row["due_at_utc"],
        "n_seats": row["n_seats"],
        "n_settled": row["n_settled"],
        "is_anything_free": assignments.is_anything_free(
            connection, problem.name, row["batch_id"], person.name, skills_of(person, problem), now
        ),
        "is_lead": is_lead(person, problem),
    }


def _last_item(connection: Connection, place: Place, person: Person) -> str | None:
    """Name the item that a person answered or passed on last in a batch."""
    answered = (
        select(LABEL.c.labelled_at_utc, LABEL.c.item_id)
        .where(
            LABEL.c.labelled_by == person.name,
            LABEL.c.problem == place.problem,
            LABEL.c.batch_id == place.batch_id,
        )
        .order_by(LABEL.c.labelled_at_utc.desc())
        .limit(1)
    )
    passed = (
        select(REVIEW_PASS.c.passed_at_utc, REVIEW_PASS.c.item_id)
        .where(
            REVIEW_PASS.c.person == person.name,
            REVIEW_PASS.c.problem == place.problem,
            REVIEW_PASS.c.batch_id == place.batch_id,
        )
        .order_by(REVIEW_PASS.c.passed_at_utc.desc())
        .limit(1)
    )
    rows = [row for query in (answered, passed) for row in connection.execute(query)]
    return str(max(rows)[1]) if rows else None


def _require_finished(connection: Connection, place: Place) -> None:
    """Refuse to say about an open batch what is only said afterwards.

    Raises:
        DeskRefused: the batch is open, or there is none.
    """
    try:
        actions.require_open(connection, place)
    except DeskRefused as error:
        if error.code == Refusal.FINISHED_BATCH:
            return
        raise
    raise DeskRefused(Refusal.OPEN_BATCH, batch=place.batch_id)
