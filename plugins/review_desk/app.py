"""The Review desk's routes: who asks, may they, and which function of the room answers.

What does not belong here: what happens to an item (`include/review/desk.py`), words (`texts/`), and what a
write must look like (`pages/writes.py`).
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers

from include.errors import DeskRefused
from include.names import Stage
from include.problems.schema import Problem
from include.review import desk
from include.review.desk import Person, Place
from include.review.refusals import Refusal
from include.warehouse.database import open_warehouse
from pages.access import User, may_answer, may_read, require_login, roles_of
from pages.writes import Fault, OwnPagesOnly
from review_desk.announcing import announce_labels
from review_desk.bodies import AnswerBody, Body, ItemBody, PassBody, UndoBody
from review_desk.definitions import read_definitions
from review_desk.texts import LANGUAGES, TEXTS, choose_language, say

HERE = Path(__file__).parent
log = logging.getLogger(__name__)
# What an item says is hostile until shown otherwise: nothing on the page runs but our own files.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FILES = {
    "desk.js": "text/javascript",
    "post.js": "text/javascript",
    "draw.js": "text/javascript",
    "state.js": "text/javascript",
    "views.js": "text/javascript",
    "dialogs.js": "text/javascript",
    "language.js": "text/javascript",
    "desk.css": "text/css",
    "icon.svg": "image/svg+xml",
}
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)
STATUS = {
    Refusal.UNKNOWN_BATCH: 404,
    Refusal.UNKNOWN_ITEM: 404,
    Refusal.UNKNOWN_CLASS: 422,
    Refusal.REASON_MISSING: 422,
    Refusal.TEXT_TOO_LONG: 422,
    Refusal.LEADS_ONLY: 403,
}


def create_app() -> FastAPI:
    """Make the app; every route asks who you are."""
    app = FastAPI(dependencies=[require_login], docs_url=None, redoc_url=None, openapi_url=None)
    reads: dict[str, Callable[..., Any]] = {
        "/": show_page,
        "/static/{name}": send_file,
        "/batches": list_batches,
        "/progress": read_progress,
        "/text": read_text,
        "/summary": summarise,
        "/people": report_people,
    }
    writes: dict[str, Callable[..., Any]] = {
        "/take": take,
        "/answer": answer,
        "/pass": pass_on,
        "/undo": undo,
        "/open": open_cover,
        "/leave": leave,
    }
    for path, route in reads.items():
        app.add_api_route(path, route, methods=["GET"], response_model=None)
    for path, route in writes.items():
        app.add_api_route(path, route, methods=["POST"], response_model=None)
    app.add_exception_handler(DeskRefused, _tell_refused)
    app.add_exception_handler(RequestValidationError, _tell_malformed)
    app.add_exception_handler(SQLAlchemyError, _tell_unavailable)
    app.add_middleware(OwnPagesOnly, tell=_tell_fault)
    return app


def find_language(request: Request) -> str:
    """Find the language that a person reads: what the page asks for, or what the browser likes best."""
    return choose_language(request.headers.get("accept-language"))


Language = Annotated[str, Depends(find_language)]


# ---------------------------------------------------------------- reads


def show_page(language: Language) -> HTMLResponse:
    """Show the desk; what is on it, the page asks for."""
    html = TEMPLATES.get_template("desk.html").render(language=language, text=TEXTS[language])
    return HTMLResponse(html, headers=HEADERS)


def send_file(name: str) -> Response:
    """Send one of the page's own files."""
    if name not in FILES:
        raise HTTPException(404)
    text = (HERE / "static" / name).read_text(encoding="utf-8")
    return Response(text, media_type=FILES[name], headers=HEADERS)


def list_batches(user: User, language: Language) -> Response:
    """List the batches that a person may read, with every word the page says in their language."""
    readable = {name: problem for name, problem in read_definitions().items() if may_read(user, name, Stage.REVIEW)}
    person = _person(user)
    with open_warehouse().connect() as connection:
        batches = desk.list_batches(connection, readable, person)
        finished = desk.list_finished(connection, readable, person)
    return _json(
        {
            "person": person.name,
            "language": language,
            "languages": LANGUAGES,
            "text": TEXTS[language],
            "finished": finished,
            "batches": [
                batch
                | {
                    "classes": _classes(readable[batch["problem"]]),
                    "may_answer": may_answer(user, batch["problem"]),
                }
                for batch in batches
            ],
        }
    )


def read_progress(user: User, problem: str, batch_id: str, since: datetime | None = None) -> Response:
    """Count how far a batch is, and what the person has done since their own midnight."""
    _readable(user, problem)
    day_ago = datetime.now(UTC) - timedelta(hours=36)  # no midnight anywhere is longer ago
    start = max(since if since and since.tzinfo else day_ago, day_ago)
    with open_warehouse().connect() as connection:
        return _json(desk.read_progress(connection, Place(problem, batch_id), _person(user), start))


def read_text(user: User, problem: str, batch_id: str, item_id: str, field: str) -> Response:
    """Give a whole text of an item that the person holds."""
    _readable(user, problem)
    with open_warehouse().connect() as connection:
        text = desk.read_text(connection, Place(problem, batch_id, item_id), _person(user), field)
    return _json({"text": text})


def summarise(user: User, problem: str, batch_id: str) -> Response:
    """Say how the person did in a finished batch."""
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        return _json(desk.summarise(connection, definition, batch_id, _person(user)))


def report_people(user: User, problem: str) -> Response:
    """Report on people and how well they agree, to a lead."""
    definition, person = _readable(user, problem), _person(user)
    with open_warehouse().connect() as connection:
        people = desk.report_people(connection, definition, person)
        return _json({"people": people, "agreement": desk.report_agreement(connection, definition, person)})


# ---------------------------------------------------------------- writes


def take(user: User, body: Body, language: Language) -> Response:
    """Give the person the next item of a batch."""
    problem = _answerable(user, "take", Place(body.problem, body.batch_id))
    return _json(_move_on(problem, body.batch_id, _person(user), language))


def answer(user: User, body: AnswerBody, language: Language) -> Response:
    """Store an answer, and give the next item."""
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "answer", place)
    done = desk.answer(
        open_warehouse(),
        problem,
        place,
        _person(user),
        label=body.label,
        note=body.note,
        looked_ms=body.looked_ms,
        request_id=body.request_id,
    )
    return _json({"done": done, **_move_on(problem, body.batch_id, _person(user), language)})


def pass_on(user: User, body: PassBody, language: Language) -> Response:
    """Skip or escalate an item, and give the next one."""
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, body.action, place)
    done = desk.pass_on(
        open_warehouse(),
        place,
        _person(user),
        action=body.action,
        reason=body.reason,
        looked_ms=body.looked_ms,
        request_id=body.request_id,
    )
    return _json({"done": done, **_move_on(problem, body.batch_id, _person(user), language)})


def undo(user: User, body: UndoBody, language: Language) -> Response:
    """Take back what the person did with an item, and show it again."""
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "undo", place)
    return _json(desk.undo(open_warehouse(), problem, place, _person(user), body.request_id, language))


def open_cover(user: User, body: ItemBody, language: Language) -> Response:
    """Uncover a sensitive item."""
    place = Place(body.problem, body.batch_id, body.item_id)
    problem = _answerable(user, "open", place)
    return _json({"item": desk.open_cover(open_warehouse(), problem, place, _person(user), language)})


def leave(user: User, body: Body) -> Response:
    """Give back what the person holds of a batch."""
    place = Place(body.problem, body.batch_id)
    _answerable(user, "leave", place)
    return _json(desk.leave(open_warehouse(), place, _person(user)))


# ---------------------------------------------------------------- what routes share


def _move_on(problem: Problem, batch_id: str, person: Person, language: str) -> dict[str, Any]:
    """Give the next item, or finish the batch and announce it."""
    after = desk.move_on(open_warehouse(), problem, batch_id, person, language)
    if after.pop("is_news"):
        announce_labels(open_warehouse(), problem.name, batch_id)
    return after


def _readable(user: User, name: str) -> Problem:
    """Find a problem that the person may read; one they may not read is as unknown to them as one that is not there.

    Raises:
        DeskRefused: there is no such problem for them.
    """
    problem = read_definitions().get(name)
    if problem is None or not may_read(user, name, Stage.REVIEW):
        raise DeskRefused(Refusal.UNKNOWN_BATCH, batch=name[:200])
    return problem


def _answerable(user: User, action: str, place: Place) -> Problem:
    """Find a problem that the person may answer; that they tried is written down.

    Raises:
        DeskRefused: they may not read it.
        HTTPException: they may only read it.
    """
    problem = _readable(user, place.problem)
    if not may_answer(user, place.problem):
        desk.write_refused(open_warehouse(), action, place, _person(user), "no_right")
        raise DeskRefused("no_right", problem=problem.title)
    return problem


def _person(user: User) -> Person:
    """Say who asks, in the room's words."""
    return Person(user.get_name(), roles_of(user))


def _classes(problem: Problem) -> list[str]:
    return list(problem.label.classes) if problem.label else []


def _json(content: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status_code=status, headers=HEADERS)


def _tell_refused(request: Request, error: Exception) -> Response:
    """Say why the desk refused, in the person's language."""
    code, values = (error.code, error.values) if isinstance(error, DeskRefused) else ("unknown", {})
    message = say(find_language(request), f"refused.{code}", values)
    status = 403 if code == "no_right" else {str(name): status for name, status in STATUS.items()}.get(code, 409)
    return _json({"code": code, "message": message}, status)


def _tell_fault(fault: Fault, headers: Headers) -> dict[str, str]:
    """Say what is wrong with a write that the desk's own page would not send, in the person's language."""
    language = choose_language(headers.get("accept-language"))
    return {"code": fault.code, "message": say(language, f"refused.{fault.code}")}


def _tell_malformed(request: Request, error: Exception) -> Response:
    """Say that the page sent what it never should; what it sent stays out of the answer."""
    del error
    return _json({"code": "malformed", "message": say(find_language(request), "refused.malformed")}, 422)


def _tell_unavailable(request: Request, error: Exception) -> Response:
    """Say that the warehouse does not answer, without its address."""
    log.warning("The desk cannot reach the warehouse: %s", type(error).__name__)
    return _json({"code": "unavailable", "message": say(find_language(request), "refused.unavailable")}, 503)
