"""The routes of model cards and what-if pages: who asks, may they, and what the templates are given.

What does not belong here: SQL (`include/warehouse/card_queries.py`), arranging (`cards.py`), drawing (`pictures.py`),
the model's answers (`include/learning/what_if.py`).
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from include.errors import MulgilError
from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.warehouse import card_queries
from include.warehouse.database import open_warehouse
from model_card import cards
from model_card.pictures import draw_curve
from pages.access import User, may_read, require_login
from pages.writes import OwnPagesOnly
from reports.pictures import ReliabilityPoint, draw_reliability

HERE = Path(__file__).parent
# The pages run one script of ours and ask this server alone; Airflow shows them in a frame of its own origin.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FILES = {"what_if.js": "text/javascript", "icon.svg": "image/svg+xml"}
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)
TEMPLATES.filters["whole"] = lambda number: "–" if number is None else f"{number:,.0f}"
TEMPLATES.filters["edge"] = lambda ratio: f"{100 * ratio:.0f}"
TEMPLATES.filters["place"] = lambda number: f"{number:g}"
TEMPLATES.filters["size"] = cards.write_size
TEMPLATES.filters["exact"] = lambda number: "–" if number is None else f"{number:.5f}"
TEMPLATES.filters["per_100"] = lambda number: "–" if number is None else f"{100 * number:,.0f}"
TEMPLATES.filters["fine"] = lambda number: "–" if number is None else f"{number:.3f}"
TEMPLATES.filters["signed"] = lambda number: "–" if number is None else f"{number:+.3f}"
TEMPLATES.filters["of_100"] = lambda ratio: "–" if ratio is None else f"{100 * ratio:.1f}"
TEMPLATES.filters["words"] = cards.plain
TEMPLATES.filters["day"] = lambda moment: "–" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


class Question(BaseModel):
    """A row that somebody made up, and the version that is asked about it."""

    model_config = ConfigDict(extra="forbid")

    problem: str = Field(max_length=48)
    version: str = Field(max_length=200)
    values: dict[str, float | str | None] = Field(max_length=500)


def create_app() -> FastAPI:
    """Make the app; every route asks who you are, and a question must come from a page of this server."""
    app = FastAPI(dependencies=[require_login], docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OwnPagesOnly)
    app.add_exception_handler(SQLAlchemyError, _say_unavailable)
    app.add_api_route("/", list_models, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/card", show_card, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/what-if", show_what_if, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/ask", answer_question, methods=["POST"])
    app.add_api_route("/style.css", send_style, methods=["GET"])
    app.add_api_route("/{name}", send_file, methods=["GET"])
    return app


def list_models(user: User, dag: str = "") -> HTMLResponse:
    """List every version of the problems that the person may read; of one DAG's problem where a DAG is named."""
    problems, _ = load_problems()
    wanted = dag.partition("__")[0]
    readable = [
        problem
        for problem in problems
        if problem.training and may_read(user, problem.name) and wanted in ("", problem.name)
    ]
    with open_warehouse().connect() as connection:
        lists = [
            (
                problem,
                card_queries.list_versions(connection, problem.name),
                card_queries.list_rules(connection, problem.name),
            )
            for problem in readable
        ]
    return _page("models.html", 200, lists=lists)


def show_card(user: User, problem: str, version: str) -> HTMLResponse:
    """Show the card of one version."""
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        facts = _facts(connection, problem, version)
        card = card_queries.read_card(connection, problem, version)
    return _page("card.html", 200, **_arrange(definition, facts, card))


def show_what_if(user: User, problem: str, version: str) -> HTMLResponse:
    """Show the form of a what-if question, filled with the middle of every feature."""
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        facts = _facts(connection, problem, version)
        ranges = card_queries.read_ranges(connection, problem, version)
    return _page("what_if.html", 200, problem=definition, facts=facts, ranges=cards.form_fields(ranges, definition))


def answer_question(user: User, question: Question) -> JSONResponse:
    """Answer a what-if question; what the model cannot be asked is a sentence."""
    # Imported where somebody asks: the API server should not hold scikit-learn for pages that only read.
    from include.learning import what_if

    definition = _readable(user, question.problem)
    try:
        answer = what_if.ask(definition, question.version, question.values)
    except MulgilError as error:
        return JSONResponse({"message": str(error)}, status_code=422, headers=HEADERS)
    return JSONResponse(answer, headers=HEADERS)


def send_style() -> Response:
    """Send the style of the reports, and what the cards add to it."""
    parts = [HERE.parent / "reports" / "static" / "style.css", HERE / "static" / "card.css"]
    return Response("\n".join(part.read_text(encoding="utf-8") for part in parts), media_type="text/css")


def send_file(name: str) -> Response:
    """Send the script or the icon."""
    if name not in FILES:
        raise HTTPException(404, "There is no such page.")
    text = (HERE / "static" / name).read_text(encoding="utf-8")
    return Response(text, media_type=FILES[name], headers={"X-Content-Type-Options": "nosniff"})


def _readable(user: Any, name: str) -> Problem:
    """Give a problem that the person may read; others are as if they were not there."""
    problems, _ = load_problems()
    found = next((one for one in problems if one.name == name and one.training and may_read(user, name)), None)
    if found is None:
        raise HTTPException(404, f"There is no problem {name!r} with a model that you may read.")
    return found


def _arrange(problem: Problem, facts: dict[str, Any], card: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Give the card's template what it shows."""
    label = problem.label
    positive = label.positive if label else "positive"
    other = next((name for name in label.classes if name != positive), "not") if label else "not"
    methods, features = cards.features_by_method(card["importance"])
    curves, highest = cards.curves_by_feature(card["curves"])
    points = [
        ReliabilityPoint(row["mean_predicted_ratio"], row["observed_ratio"], row["low"], row["high"], row["n_rows"])
        for row in card["bins"]
    ]
    title = f"{facts['model_version']}: what it said against what happened, on held-out rows"
    return card | {
        "problem": problem,
        "facts": facts,
        "positive": cards.plain(positive),
        "methods": methods,
        "features": features,
        "disputed": cards.widest_dispute(card["agreement"]),
        "curves_svg": [(name, draw_curve(name, own, highest)) for name, own in curves],
        "reliability_svg": draw_reliability(points, title) if points else None,
        "plain_words": cards.plain_words(card["bins"], cards.plain(positive), cards.plain(other)),
        "limits": cards.limits_of(card, facts),
        "shown_segments": card["segments"][: cards.MAX_SEGMENTS],
        "own": next((row for row in card["comparison"] if row["candidate"] == facts["model_name"]), None),
    }


def _facts(connection: Connection, problem: str, version: str) -> dict[str, Any]:
    """Give the facts about one version."""
    facts = card_queries.find_version(connection, problem, version)
    if facts is None:
        raise HTTPException(404, f"{problem} has no model version {version!r}.")
    return facts


def _say_unavailable(request: Request, error: Exception) -> Response:
    """Say that the warehouse does not answer, without its address."""
    reason = type(error).__name__
    if request.method == "POST":
        return JSONResponse({"message": f"The warehouse does not answer ({reason})."}, 503, HEADERS)
    return _page("unavailable.html", 503, reason=reason)


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    """Render a template, with the headers that keep the page to itself."""
    return HTMLResponse(TEMPLATES.get_template(template).render(**values), status_code=status, headers=HEADERS)
