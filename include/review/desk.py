"""The review room's door for pages: what a person at the desk can see and do, one function for each.

What belongs here: putting seats, answers and pictures together for one request. What does not: who is logged in and
which DAGs they may edit (the page asks Airflow), and words for people (the page's texts).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, case, func, select

from include.errors import DeskRefused
from include.problems.schema import Problem
from include.problems.sections.review import Review
from include.review import answering, audit, batches, reporting, seats, showing
from include.review.audit import Request
from include.review.content import find_content
from include.review.people import Person, is_lead, skills_of
from include.review.refusals import Refusal
from include.review.seats import Place, Seat
from include.warehouse.tables.desk import REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import LABEL, REVIEW_BATCH

__all__ = ["Person", "Place", "is_lead"]


def list_batches(connection: Connection, problems: Mapping[str, Problem], person: Person) -> list[dict[str, Any]]:
    """List the open batches of some problems, the one that is due first at the top.

    Returns:
        for each: problem, batch_id, due_at_utc, is_overdue, n_seats and n_settled (answers wanted and had),
        is_anything_free (for this person).
    """
    now = answering.read_clock(connection)
    settled = func.count().filter(REVIEW_SEAT.c.state.in_([Seat.ANSWERED, Seat.PASSED]))
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


def list_finished(connection: Connection, problems: Mapping[str, Problem], person: Person) -> list[dict[str, Any]]:
    """List the newest finished batches in which a person answered: how it went is told only after a batch.

    Returns:
        problem, title, batch_id, round_number, answered_at_utc; the newest first.
    """
    rows = reporting.list_finished(connection, list(problems), person.name)
    return [{**row, "title": problems[row["problem"]].title} for row in rows]


def take_item(engine: Engine, problem: Problem, batch_id: str, person: Person, language: str) -> dict[str, Any] | None:
    """Give a person the next item of a batch, and keep it for them; None where there is none for them now.

    Raises:
        DeskRefused: the batch is unknown or finished.
    """
    place = Place(problem.name, batch_id)
    lease = _review_of(problem).lease

    def change(connection: Connection, request: Request) -> answering.Change:
        answering.require_open(connection, place)
        seat = seats.take_seat(connection, place, person.name, skills_of(person, problem), now=request.now, lease=lease)
        if seat is None:
            return None, {"item": None}
        return None, {"item": showing.show_item(connection, problem, seat, language), "item_id": seat["item_id"]}

    return _take(engine, place, person, change)


def move_on(engine: Engine, problem: Problem, batch_id: str, person: Person, language: str) -> dict[str, Any]:
    """Give a person the next item after one, or finish the batch where that was the last.

    Returns:
        `item`, as `take_item` gives it; `is_finished`: whether the batch is; `is_news`: whether this call finished it,
        so that its labels must be announced.

    Raises:
        DeskRefused: the batch is unknown.
    """
    try:
        item = take_item(engine, problem, batch_id, person, language)
    except DeskRefused as error:
        if error.code != Refusal.FINISHED_BATCH:
            raise
        return {"item": None, "is_finished": True, "is_news": False}
    # Only where there is no next item can nothing wait any more.
    is_news = item is None and answering.finish_if_nothing_waits(engine, problem.name, batch_id, person.name)
    # Of two last answers at once, only one finishes the batch; it is finished for the other, too.
    is_finished = is_news or (item is None and _is_finished(engine, problem.name, batch_id))
    return {"item": item, "is_finished": is_finished, "is_news": is_news}


def answer(
    engine: Engine,
    problem: Problem,
    place: Place,
    person: Person,
    *,
    label: str,
    note: str | None,
    looked_ms: int | None,
    request_id: str,
) -> dict[str, Any]:
    """Store a person's answer.

    Returns:
        item_id, label, `model`: what the model said (now that it cannot sway anybody).

    Raises:
        DeskRefused: see `answering.give_answer`.
    """

    def change(connection: Connection, request: Request) -> answering.Change:
        before, after = answering.give_answer(connection, request, problem, label, note, looked_ms)
        return before, after | {"model": showing.reveal(connection, problem, place, after["shown"])}

    return answering.perform(engine, _request("answer", place, person, request_id), change)


def pass_on(
    engine: Engine, place: Place, person: Person, *, action: str, reason: str, looked_ms: int | None, request_id: str
) -> dict[str, Any]:
    """Skip or escalate the item that a person holds; the answer is as that of `answer`.

    Raises:
        DeskRefused: see `answering.pass_on`.
    """
    name = seats.ESCALATE if action == seats.ESCALATE else seats.SKIP
    return answering.perform(
        engine,
        _request(name, place, person, request_id),
        lambda connection, request: answering.pass_on(connection, request, reason, looked_ms),
    )


def undo(
    engine: Engine, problem: Problem, place: Place, person: Person, request_id: str, language: str
) -> dict[str, Any]:
    """Take back what a person did with an item, and show it to them again.

    Returns:
        `item`, as `take_item` gives it, and what was taken back: label and note, or action and reason.

    Raises:
        DeskRefused: see `answering.take_back`.
    """
    lease = _review_of(problem).lease

    def change(connection: Connection, request: Request) -> answering.Change:
        before, after = answering.take_back(connection, request, lease)
        return before, after | {"taken_back": before}

    done = answering.perform(engine, _request("undo", place, person, request_id), change)
    with engine.begin() as connection:
        seat = seats.find_own(connection, place, person.name)
        if seat is None or seat["state"] != Seat.TAKEN:  # taken back twice, and answered in between
            raise DeskRefused(Refusal.NOTHING_TO_UNDO)
        return done | {"item": showing.show_item(connection, problem, seat, language)}


def open_cover(engine: Engine, problem: Problem, place: Place, person: Person, language: str) -> dict[str, Any]:
    """Uncover a sensitive item that a person holds, and show it.

    Raises:
        DeskRefused: see `answering.open_cover`.
    """
    answering.perform(engine, _request("open", place, person, None), answering.open_cover)
    with engine.begin() as connection:
        seat = seats.find_own(connection, place, person.name)
        if seat is None:
            raise DeskRefused(Refusal.NOT_HELD)
        return showing.show_item(connection, problem, seat, language)


def leave(engine: Engine, place: Place, person: Person) -> dict[str, Any]:
    """Give back what a person holds of a batch."""
    return answering.perform(engine, _request("leave", place, person, None), answering.leave)


def read_text(connection: Connection, place: Place, person: Person, field: str) -> str:
    """Read a whole text of an item that a person holds.

    Raises:
        DeskRefused: they do not hold it, it is covered, or it has no such field.
    """
    seat = seats.find_own(connection, place, person.name)
    if seat is None or seat["state"] != Seat.TAKEN:
        raise DeskRefused(Refusal.NOT_HELD)
    if (seat["shown"] or {}).get("was_covered"):
        raise DeskRefused(Refusal.COVERED)
    content = find_content(connection, *place.names.values())
    for known in content["fields"] if content else []:
        if known["name"] == field:
            return str(known["value"] or "")
    raise DeskRefused(Refusal.UNKNOWN_ITEM, batch=place.batch_id)


def read_progress(connection: Connection, place: Place, person: Person, since: datetime) -> dict[str, Any]:
    """Count how far a batch is, and what a person has done since a moment, such as their own midnight.

    Returns:
        n_seats, n_settled, n_mine (of this batch), n_today (of all), last_item_id: what could be taken back.
    """
    settled = REVIEW_SEAT.c.state.in_([Seat.ANSWERED, Seat.PASSED])
    mine = (REVIEW_SEAT.c.person == person.name) & (REVIEW_SEAT.c.state == Seat.ANSWERED)
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


def summarise(connection: Connection, problem: Problem, batch_id: str, person: Person) -> dict[str, Any]:
    """Say how a person did in a batch that is finished: agreement with known answers, and with others.

    Raises:
        DeskRefused: the batch is unknown, or still open: known answers are no secret only afterwards.
    """
    place = Place(problem.name, batch_id)
    _require_finished(connection, place)
    return reporting.summarise_person(connection, place, person.name)


def report_people(connection: Connection, problem: Problem, person: Person) -> list[dict[str, Any]]:
    """Report on everybody who answers for a problem, to a lead.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    _require_lead(problem, person)
    return reporting.report_people(connection, problem.name)


def report_agreement(connection: Connection, problem: Problem, person: Person) -> list[dict[str, Any]]:
    """Report how well the people of a problem agree, to a lead.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    _require_lead(problem, person)
    return reporting.report_agreement(connection, problem.name)


def mark_announced(engine: Engine, problem: str, batch_id: str) -> None:
    """Note that Airflow knows of a batch's labels."""
    with engine.begin() as connection:
        batches.mark_announced(connection, problem, batch_id, answering.read_clock(connection))


def write_refused(engine: Engine, action: str, place: Place, person: Person, reason: str) -> None:
    """Write down a request that was refused before it came to the desk: no right, a foreign page."""
    with engine.begin() as connection:
        request = Request(action, person.name, place, answering.read_clock(connection))
        audit.write_refused(connection, request, reason)


def _take(engine: Engine, place: Place, person: Person, change: Any) -> dict[str, Any] | None:
    """Take an item; the audit keeps its name, not its content."""
    found: dict[str, Any] = {}

    def noted(connection: Connection, request: Request) -> answering.Change:
        _, after = change(connection, request)
        found.update(after)
        return None, {"item_id": after.get("item_id")}

    answering.perform(engine, _request("take", place, person, None), noted)
    item: dict[str, Any] | None = found["item"]
    return item


def _request(action: str, place: Place, person: Person, request_id: str | None) -> Any:
    """Make the request as soon as the database has said what time it is."""
    return lambda now: Request(action, person.name, place, now, request_id)


def _describe(
    connection: Connection, row: RowMapping, problems: Mapping[str, Problem], person: Person, now: datetime
) -> dict[str, Any]:
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
        "is_anything_free": seats.is_anything_free(
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


def _is_finished(engine: Engine, problem: str, batch_id: str) -> bool:
    """Look whether a batch is finished, whoever finished it."""
    with engine.begin() as connection:
        return bool(batches.find_batch(connection, problem, batch_id)["status"] != batches.OPEN)


def _require_finished(connection: Connection, place: Place) -> None:
    """Refuse to say about an open batch what is only said afterwards."""
    try:
        answering.require_open(connection, place)
    except DeskRefused as error:
        if error.code == Refusal.FINISHED_BATCH:
            return
        raise
    raise DeskRefused(Refusal.OPEN_BATCH, batch=place.batch_id)


def _require_lead(problem: Problem, person: Person) -> None:
    """Refuse reports of people to everybody but their leads."""
    if not is_lead(person, problem):
        raise DeskRefused(Refusal.LEADS_ONLY, lead=problem.escalation)


def _review_of(problem: Problem) -> Review:
    """Give the review section; a problem without one has no batches.

    Raises:
        DeskRefused: the problem asks nobody anything.
    """
    if problem.review is None:
        raise DeskRefused(Refusal.UNKNOWN_BATCH, batch=problem.name)
    return problem.review
