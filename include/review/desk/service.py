"""The review room's door for pages: what a person at the desk can do and see, one function for each.

What belongs here: one request each, whole, so that its rule is read in one place: what is required, what changes, what
the page gets. What does not: who is logged in and which DAGs they may edit (the page asks Airflow), words for people
(the page's texts), and what only shows (`desk/overview.py`).
"""

from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy import Connection, Engine

from include.errors import DeskRefused
from include.problems.schema import Problem
from include.problems.sections.review import Review
from include.review.batches import assignments, blocks, trust
from include.review.batches import store as batches
from include.review.batches.assignments import AssignmentState, Place
from include.review.desk import actions, audit, item_view
from include.review.desk.audit import write_refused, writing
from include.review.desk.blocking import block_person, measure_again
from include.review.desk.item_view import Item
from include.review.desk.overview import (
    count_flags,
    list_batches,
    list_blocks,
    list_finished,
    list_flags,
    read_progress,
    report_agreement,
    report_people,
    require_lead,
    summarise,
)
from include.review.desk.permissions import Person, is_lead, skills_of
from include.review.desk.refusals import Refusal
from include.review.selection.content import find_content

__all__ = [
    "Person",
    "Place",
    "block_person",
    "count_flags",
    "is_lead",
    "list_batches",
    "list_blocks",
    "list_finished",
    "list_flags",
    "read_progress",
    "report_agreement",
    "report_people",
    "summarise",
    "write_refused",
]

Told = dict[str, object]  # what came of a request, as the page gets it


class Next(TypedDict):
    """What comes after an item: the next one, or the end of the batch, which is news to one caller alone."""

    item: Item | None
    is_finished: bool
    is_news: bool


def take_item(engine: Engine, problem: Problem, batch_id: str, person: Person, language: str) -> Item | None:
    """Give a person the next item of a batch, and keep it for them; None where there is none for them now.

    Raises:
        DeskRefused: the batch is unknown or finished, or a lead has blocked the person.
    """
    lease, skills = _review_of(problem).lease, skills_of(person, problem)
    with writing(engine, "take", Place(problem.name, batch_id), person.name) as write:
        place, now = write.request.place, write.request.now
        _require_not_blocked(write.connection, problem, person)
        actions.require_open(write.connection, place)
        taken = assignments.take_assignment(write.connection, place, person.name, skills, now=now, lease=lease)
        if taken is None:
            write.record(None, {"item_id": None}, is_news=False)
            return None
        # The audit keeps the item's name, not its content; who looks again at what they hold takes nothing.
        write.record(None, {"item_id": taken.assignment["item_id"]}, is_news=taken.is_new)
        return item_view.show_item(
            write.connection, problem, taken.assignment, language, is_for_lead=is_lead(person, problem)
        )


def move_on(engine: Engine, problem: Problem, batch_id: str, person: Person, language: str) -> Next:
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
    is_news = item is None and actions.finish_if_nothing_waits(engine, problem.name, batch_id, person.name)
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
    replaces: Sequence[str] = (),
) -> Told:
    """Store a person's answer.

    Args:
        replaces: names of this person's requests about the item that this one corrects, whether they arrived or not.

    Returns:
        item_id, label, `model`: what the model said (now that it cannot sway anybody).

    Raises:
        DeskRefused: see `actions.give_answer` and `actions.withdraw`.
    """
    with writing(engine, "answer", place, person.name, request_id) as write:
        if write.done is not None:
            return write.done
        _require_not_blocked(write.connection, problem, person)
        actions.withdraw(write.connection, write.request, replaces)
        before, after = actions.give_answer(write.connection, write.request, problem, label, note, looked_ms)
        shown = after["shown"]
        model_seen = shown.get("model") if isinstance(shown, dict) else None
        after |= {"model": item_view.reveal(write.connection, problem, place, model_seen)}
        write.record(before, after)
        return after


def pass_on(
    engine: Engine,
    place: Place,
    person: Person,
    *,
    action: str,
    reason: str,
    looked_ms: int | None,
    request_id: str,
    replaces: Sequence[str] = (),
) -> Told:
    """Skip or escalate the item that a person holds; the answer is as that of `answer`.

    Raises:
        DeskRefused: see `actions.pass_on` and `actions.withdraw`.
    """
    name = assignments.ESCALATE if action == assignments.ESCALATE else assignments.SKIP
    with writing(engine, name, place, person.name, request_id) as write:
        if write.done is not None:
            return write.done
        actions.withdraw(write.connection, write.request, replaces)
        before, after = actions.pass_on(write.connection, write.request, reason, looked_ms)
        write.record(before, after)
        return after


def undo(engine: Engine, problem: Problem, place: Place, person: Person, request_id: str, language: str) -> Told:
    """Take back what a person did with an item, and show it to them again.

    Returns:
        `item`, as `take_item` gives it, and `taken_back`: label and note, or action and reason. Sent again after it was
        done, it says so again; `item` is None where the person has answered it anew meanwhile.

    Raises:
        DeskRefused: see `actions.take_back`.
    """
    with writing(engine, "undo", place, person.name, request_id) as write:
        if write.done is None:
            before, after = actions.take_back(write.connection, write.request, _review_of(problem).lease)
            write.record(before, after | {"taken_back": before})
        done = write.done or dict(write.after or {})
        assignment = assignments.find_own(write.connection, place, person.name)
        if assignment is None or assignment["state"] != AssignmentState.TAKEN:
            return done | {"item": None}
        is_for_lead = is_lead(person, problem)
        return done | {
            "item": item_view.show_item(write.connection, problem, assignment, language, is_for_lead=is_for_lead)
        }


def open_cover(engine: Engine, problem: Problem, place: Place, person: Person, language: str) -> Item:
    """Uncover a sensitive item that a person holds, and show it.

    Raises:
        DeskRefused: the batch is finished or unknown, the item not theirs.
    """
    with writing(engine, "open", place, person.name) as write:
        actions.require_open(write.connection, place)
        assignment = actions.require_assignment(write.connection, write.request)
        was_covered = (assignment["shown"] or {}).get("was_covered", True)
        assignment = assignments.write_shown(
            write.connection, assignment, dict(assignment["shown"] or {}) | {"was_covered": False}
        )
        names = {"item_id": place.item_id, "was_covered": False}
        write.record({"was_covered": was_covered}, names, is_news=was_covered)
        return item_view.show_item(
            write.connection, problem, assignment, language, is_for_lead=is_lead(person, problem)
        )


def leave(engine: Engine, place: Place, person: Person) -> Told:
    """Give back what a person holds of a batch, so that nobody has to wait until it expires."""
    with writing(engine, "leave", place, person.name) as write:
        given_back = assignments.give_back_all(write.connection, place, person.name)
        write.record(None, {"given_back": given_back}, is_news=bool(given_back))
        return {"given_back": given_back}


def decide_flag(
    engine: Engine, problem: Problem, place: Place, labelled_by: str, person: Person, *, accept: bool
) -> None:
    """Let a lead accept flagged answers, so that the next model learns from them, or withdraw them as if never given.

    Args:
        place: the batch they were given in.
        labelled_by: whose answers they are.

    Raises:
        DeskRefused: the person is no lead, the answers are their own, or nothing of that person was flagged.
    """
    with writing(engine, "accept" if accept else "withdraw", place, person.name) as write:
        require_lead(problem, person)
        if labelled_by == person.name:
            raise DeskRefused(Refusal.OWN_ANSWERS)
        flags = trust.read_flags(write.connection, place.problem)
        known = {(row["batch_id"], row["labelled_by"]): row["status"] for row in flags}
        if (place.batch_id, labelled_by) not in known:
            raise DeskRefused(Refusal.UNKNOWN_FLAG)
        trust.decide_flag(
            write.connection,
            place.problem,
            place.batch_id,
            labelled_by,
            is_accepted=accept,
            decided_by=person.name,
            now=write.request.now,
        )
        before = {"labelled_by": labelled_by, "status": known[place.batch_id, labelled_by]}
        write.record(before, {"labelled_by": labelled_by})
    measure_again(engine, problem)


def read_text(connection: Connection, place: Place, person: Person, field: str) -> str:
    """Read a whole text of an item that a person holds.

    Raises:
        DeskRefused: they do not hold it, it is covered, or it has no such field.
    """
    assignment = assignments.find_own(connection, place, person.name)
    if assignment is None or assignment["state"] != AssignmentState.TAKEN:
        raise DeskRefused(Refusal.NOT_HELD)
    if (assignment["shown"] or {}).get("was_covered"):
        raise DeskRefused(Refusal.COVERED)
    content = find_content(connection, *place.names.values())
    for known in content["fields"] if content else []:
        if known["name"] == field:
            return str(known["value"] or "")
    raise DeskRefused(Refusal.UNKNOWN_ITEM, batch=place.batch_id)


def mark_announced(engine: Engine, problem: str, batch_id: str) -> None:
    """Note that Airflow knows of a batch's labels."""
    with engine.begin() as connection:
        batches.mark_announced(connection, problem, batch_id, audit.read_clock(connection))


def _is_finished(engine: Engine, problem: str, batch_id: str) -> bool:
    """Look whether a batch is finished, whoever finished it."""
    with engine.begin() as connection:
        return bool(batches.find_batch(connection, problem, batch_id)["status"] != batches.OPEN)


def _require_not_blocked(connection: Connection, problem: Problem, person: Person) -> None:
    """Refuse whom a lead has blocked.

    Raises:
        DeskRefused: the person is blocked.
    """
    if person.name in blocks.read_blocked(connection, problem.name):
        raise DeskRefused(Refusal.BLOCKED, lead=problem.escalation)


def _review_of(problem: Problem) -> Review:
    """Give the review section; a problem without one has no batches.

    Raises:
        DeskRefused: the problem asks nobody anything.
    """
    if problem.review is None:
        raise DeskRefused(Refusal.UNKNOWN_BATCH, batch=problem.name)
    return problem.review
