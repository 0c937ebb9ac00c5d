"""The Review desk's routes: who asks, may they, and which function of the room answers.

What does not belong here: what happens to an item (`include/review/desk/service.py`), words (`texts/`), headers,
errors and what a write must look like (`pages/`).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import Headers

from include.errors import DeskRefused
from include.names import Stage
from include.problems.schema import Problem
from include.review.desk import afterwards, service
from include.review.desk.refusals import Refusal
from include.review.desk.service import Person, Place
from include.warehouse import queries
from include.warehouse.database import open_warehouse
from include.warehouse.page_parts import PageParts
from pages.access import User, may_answer, may_read, roles_of
from pages.definitions import read_definitions
from pages.languages import LANGUAGES, choose_language
from pages.shell import make_app, make_site
from pages.writes import Fault
from review_desk.announcing import announce_labels
from review_desk.bodies import AfterwardsBody, AnswerBody, BlockBody, Body, FlagBody, ItemBody, PassBody, UndoBody
from review_desk.texts import TEXTS, say

HERE = Path(__file__).parent
SCRIPTS = ("desk.js", "post.js", "draw.js", "state.js", "views.js", "dialogs.js", "language.js")
SITE = make_site("Review desk", HERE, "desk.css", [HERE / "static" / "desk.css"], SCRIPTS, files_at="static/")
MOST_REFUSED = 10  # reasons of label files that the list shows for each problem; Reports has all
STATUS: dict[str, int] = {
    Refusal.UNKNOWN_BATCH: 404,
    Refusal.UNKNOWN_ITEM: 404,
    Refusal.UNKNOWN_CLASS: 422,
    Refusal.REASON_MISSING: 422,
    Refusal.TEXT_TOO_LONG: 422,
    Refusal.UNKNOWN_FLAG: 404,
    Refusal.OWN_ANSWERS: 403,
    Refusal.BLOCKED: 403,
    Refusal.UNKNOWN_PERSON: 404,
    Refusal.LEADS_ONLY: 403,
    Refusal.NO_RIGHT: 403,
}


def create_app() -> FastAPI:
    """Make the app; every route asks who you are."""
    reads: dict[str, Callable[..., Response]] = {
        "/": show_page,
        "/batches": list_batches,
        "/progress": read_progress,
        "/text": read_text,
        "/summary": summarise,
        "/people": report_people,
    }
    writes: dict[str, Callable[..., Response]] = {
        "/take": take,
        "/answer": answer,
        "/pass": pass_on,
        "/undo": undo,
        "/open": open_cover,
        "/leave": leave,
        "/decide": decide_flag,
        "/block": block_person,
        "/afterwards": answer_afterwards,
    }
    app = make_app(SITE, reads, writes, tell=_tell_fault)
    app.exception_handler(DeskRefused)(_tell_refused)
    return app


def find_language(request: Request) -> str:
    """Find the language that a person reads: what the page asks for, or what the browser likes best."""
    return choose_language(request.headers.get("accept-language"))


Language = Annotated[str, Depends(find_language)]


# ---------------------------------------------------------------- reads


def show_page(language: Language) -> HTMLResponse:
    """Show the desk; what is on it, the page asks for."""
    return SITE.render("desk.html", {"language": language, "text": TEXTS[language]})


def list_batches(user: User, language: Language) -> Response:
    """List the batches that a person may read, with every word the page says in their language."""
    readable = {name: problem for name, problem in _asking().items() if may_read(user, name, Stage.REVIEW)}
    person = _person(user)
    with open_warehouse().connect() as connection:
        batches = service.list_batches(connection, readable, person)
        parts = PageParts(connection, "the desk's list")
        finished = parts.read("finished batches", service.list_finished, [], readable, person)
        flags = parts.read("flagged answers", service.count_flags, [], readable, person)
        refused_lines = [
            {"title": problem.title, **row, "imported_at_utc": row["imported_at_utc"].isoformat()}
            for name, problem in readable.items()
            for row in parts.read("label files", queries.refused_label_lines, [], name)[:MOST_REFUSED]
        ]
    return JSONResponse(
        {
            "person": person.name,
            "language": language,
            "languages": LANGUAGES,
            "text": TEXTS[language],
            "finished": finished,
            "flags": flags,
            "refused_lines": refused_lines,
            "batches": [
                batch
                | {
                    "classes": list(label.classes) if (label := readable[batch["problem"]].label) else [],
                    "guidelines": review.guidelines if (review := readable[batch["problem"]].review) else None,
                    "is_multiple": _is_multiple(readable[batch["problem"]]),
                    "may_answer": may_answer(user, batch["problem"]),
                }
                for batch in batches
            ],
        }
    )


def read_progress(user: User, problem: str, batch_id: str, since: datetime | None = None) -> Response:
    """Count how far a batch is, and what the person has done since their own midnight.

    Raises:
        DeskRefused: there is no such problem for this person, or the desk does not show them this.
    """
    _readable(user, problem)
    day_ago = datetime.now(UTC) - timedelta(hours=36)  # no midnight anywhere is longer ago
    start = max(since if since and since.tzinfo else day_ago, day_ago)
    with open_warehouse().connect() as connection:
        return JSONResponse(service.read_progress(connection, Place(problem, batch_id), _person(user), start))


def read_text(user: User, problem: str, batch_id: str, item_id: str, field: str) -> Response:
    """Give a whole text of an item that the person holds.

    Raises:
        DeskRefused: there is no such problem for this person, or the desk does not show them this.
    """
    _readable(user, problem)
    with open_warehouse().connect() as connection:
        text = service.read_text(connection, Place(problem, batch_id, item_id), _person(user), field)
    return JSONResponse({"text": text})


def summarise(user: User, problem: str, batch_id: str) -> Response:
    """Say how the person did in a finished batch.

    Raises:
        DeskRefused: there is no such problem for this person, or the desk does not show them this.
    """
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        summary = service.summarise(connection, definition, batch_id, _person(user))
    return JSONResponse(summary | {"classes": _classes_of(definition)})


def report_people(user: User, problem: str) -> Response:
    """Report on people and how well they agree, to a lead.

    Raises:
        DeskRefused: there is no such problem for this person, or the desk does not show them this.
    """
    definition, person = _readable(user, problem), _person(user)
    with open_warehouse().connect() as connection:
        people = service.report_people(connection, definition, person)
        agreement = service.report_agreement(connection, definition, person)
        flags = service.list_flags(connection, definition, person)
        blocks = service.list_blocks(connection, definition, person)
        torn = afterwards.list_torn(connection, definition, person)
    parts = {"people": people, "agreement": agreement, "flags": flags, "blocks": blocks, "torn": torn}
    return JSONResponse(parts | {"classes": _classes_of(definition)})


# ---------------------------------------------------------------- writes


def take(user: User, body: Body, language: Language) -> Response:
    """Give the person the next item of a batch.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    problem = _answerable(user, "take", Place(body.problem, body.batch_id))
    return JSONResponse(_move_on(problem, body.batch_id, _person(user), language))


def answer(user: User, body: AnswerBody, language: Language) -> Response:
    """Store an answer, and give the next item.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "answer", place)
    done = service.answer(
        open_warehouse(),
        problem,
        place,
        _person(user),
        label=body.label,
        note=body.note,
        looked_ms=body.looked_ms,
        request_id=body.request_id,
        replaces=body.replaces,
    )
    return JSONResponse({"done": done, **_move_on(problem, body.batch_id, _person(user), language)})


def pass_on(user: User, body: PassBody, language: Language) -> Response:
    """Skip or escalate an item, and give the next one.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, body.action, place)
    done = service.pass_on(
        open_warehouse(),
        place,
        _person(user),
        action=body.action,
        reason=body.reason,
        looked_ms=body.looked_ms,
        request_id=body.request_id,
        replaces=body.replaces,
    )
    return JSONResponse({"done": done, **_move_on(problem, body.batch_id, _person(user), language)})


def undo(user: User, body: UndoBody, language: Language) -> Response:
    """Take back what the person did with an item, and show it again.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "undo", place)
    return JSONResponse(service.undo(open_warehouse(), problem, place, _person(user), body.request_id, language))


def open_cover(user: User, body: ItemBody, language: Language) -> Response:
    """Uncover a sensitive item.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "open", place)
    return JSONResponse({"item": service.open_cover(open_warehouse(), problem, place, _person(user), language)})


def leave(user: User, body: Body) -> Response:
    """Give back what the person holds of a batch.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id)
    _answerable(user, "leave", place)
    return JSONResponse(service.leave(open_warehouse(), place, _person(user)))


def decide_flag(user: User, body: FlagBody) -> Response:
    """Store what a lead thinks of answers that nobody seems to have read the items for.

    Raises:
        DeskRefused: this person may not, or the item is not theirs; nothing is stored.
    """
    place = Place(body.problem, body.batch_id)
    problem = _answerable(user, "accept" if body.is_accepted else "withdraw", place)
    service.decide_flag(open_warehouse(), problem, place, body.labelled_by, _person(user), accept=body.is_accepted)
    return JSONResponse({"labelled_by": body.labelled_by, "is_accepted": body.is_accepted})


def answer_afterwards(user: User, body: AfterwardsBody) -> Response:
    """Store another answer to an item of a finished batch.

    Raises:
        DeskRefused: this person may not, or never answered the item; nothing is stored.
    """
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "adjudication" if body.is_last_word else "correction", place)
    told = afterwards.answer_afterwards(
        open_warehouse(),
        problem,
        place,
        _person(user),
        label=body.label,
        note=body.note,
        is_last_word=body.is_last_word,
        request_id=body.request_id,
    )
    return JSONResponse(told)


def block_person(user: User, body: BlockBody) -> Response:
    """Take out everything that a person said, or let it in again.

    Raises:
        DeskRefused: this person may not, or nobody is called so; nothing is stored.
    """
    problem = _answerable(user, "block" if body.is_blocked else "unblock", Place(body.problem, ""))
    told = service.block_person(
        open_warehouse(),
        problem,
        body.labelled_by,
        _person(user),
        reason=body.reason,
        is_blocked=body.is_blocked,
    )
    return JSONResponse(told)


# ---------------------------------------------------------------- what routes share


def _move_on(problem: Problem, batch_id: str, person: Person, language: str) -> dict[str, object]:
    """Give the next item, or finish the batch and announce it."""
    after = service.move_on(open_warehouse(), problem, batch_id, person, language)
    if after["is_news"]:
        announce_labels(open_warehouse(), problem.name, batch_id)
    return {"item": after["item"], "is_finished": after["is_finished"]}


def _asking() -> dict[str, Problem]:
    """Give the problems that ask people something."""
    return {name: problem for name, problem in read_definitions().problems.items() if problem.review is not None}


def _readable(user: User, name: str) -> Problem:
    """Find a problem that the person may read; one they may not read is as unknown to them as one that is not there.

    Raises:
        DeskRefused: there is no such problem for them.
    """
    problem = _asking().get(name)
    if problem is None or not may_read(user, name, Stage.REVIEW):
        raise DeskRefused(Refusal.UNKNOWN_BATCH, batch=name[:200])
    return problem


def _answerable(user: User, action: str, place: Place) -> Problem:
    """Find a problem that the person may answer; that they tried is written down.

    Raises:
        DeskRefused: they may not read it, or only read it.
    """
    problem = _readable(user, place.problem)
    if not may_answer(user, place.problem):
        service.write_refused(open_warehouse(), action, place, user.get_name(), Refusal.NO_RIGHT)
        raise DeskRefused(Refusal.NO_RIGHT, problem=problem.title)
    return problem


def _person(user: User) -> Person:
    """Say who asks, in the room's words."""
    return Person(user.get_name(), roles_of(user))


def _classes_of(problem: Problem) -> list[str]:
    """Name the classes that one button can answer with; none where an item may have several."""
    return list(problem.label.classes) if problem.label and not problem.label.multiple else []


def _is_multiple(problem: Problem) -> bool:
    """Say whether an item may have several classes, or none."""
    return problem.label is not None and problem.label.multiple


def _tell_refused(request: Request, error: DeskRefused) -> Response:
    """Say why the desk refused, in the person's language."""
    message = say(find_language(request), f"refused.{error.code}", error.values)
    return JSONResponse({"code": error.code, "message": message}, STATUS.get(error.code, 409))


def _tell_fault(fault: Fault, headers: Headers) -> dict[str, str]:
    """Say what is wrong with a request that the desk's own page would not send, in the person's language."""
    language = choose_language(headers.get("accept-language"))
    return {"code": fault.code, "message": say(language, f"refused.{fault.code}")}
