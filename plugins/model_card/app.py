"""The routes of model cards and what-if pages: who asks, may they, and what the templates are given.

What does not belong here: SQL (`include/warehouse/card_queries.py`), arranging (`cards.py`), drawing (`pictures.py`),
the model's answers (`include/learning/explain/what_if.py`), headers and errors (`pages/shell.py`).
"""

from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from include.errors import MulgilError
from include.problems.schema import Problem
from include.warehouse import card_queries
from include.warehouse.card_queries import CARD_PARTS, Row
from include.warehouse.database import open_warehouse
from include.warehouse.page_parts import PageParts
from model_card import cards
from model_card.pictures import draw_curve
from pages.access import User, may_read
from pages.definitions import read_definitions
from pages.shell import PAGE_STYLE, make_app, make_site
from pages.writes import Name
from reports.pictures import ReliabilityPoint, draw_reliability

HERE = Path(__file__).parent
SITE = make_site("Models", HERE, "style.css", [PAGE_STYLE, HERE / "static" / "card.css"], ["what_if.js"])
SITE.templates.filters |= {
    "whole": lambda number: "–" if number is None else f"{number:,.0f}",
    "edge": lambda ratio: f"{100 * ratio:.0f}",
    "place": lambda number: f"{number:g}",
    "size": cards.write_size,
    "exact": lambda number: "–" if number is None else f"{number:.5f}",
    "per_100": lambda number: "–" if number is None else f"{100 * number:,.0f}",
    "fine": lambda number: "–" if number is None else f"{number:.3f}",
    "signed": lambda number: "–" if number is None else f"{number:+.3f}",
    "of_100": lambda ratio: "–" if ratio is None else f"{100 * ratio:.1f}",
    "words": cards.plain,
    "day": lambda moment: "–" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC",
}


class Question(BaseModel):
    """A row that somebody made up, and the version that is asked about it."""

    model_config = ConfigDict(extra="forbid")

    problem: Name
    version: Name
    values: dict[Name, float | str | None] = Field(max_length=500)


def create_app() -> FastAPI:
    """Make the app; every route asks who you are, and a question must come from a page of this server."""
    return make_app(
        SITE, {"/": list_models, "/card": show_card, "/what-if": show_what_if}, writes={"/ask": answer_question}
    )


def list_models(user: User, dag: str = "") -> HTMLResponse:
    """List every version of the problems that the person may read; of one DAG's problem where a DAG is named."""
    problems = read_definitions().problems
    readable = {name: problem for name, problem in problems.items() if may_read(user, name)}
    asked = dag.partition("__")[0]
    wanted = [problem for name, problem in readable.items() if problem.training and asked in ("", name)]
    with open_warehouse().connect() as connection:
        lists = [_list(connection, problem) for problem in wanted]
    return SITE.render(
        "models.html", {"lists": lists, "dag": dag, "asked": readable.get(asked), "n_readable": len(readable)}
    )


def show_card(user: User, problem: str, version: str) -> HTMLResponse:
    """Show the card of one version; a part that cannot be read is named, all others are there.

    Raises:
        HTTPException: 404, there is no such problem or version for this person.
    """
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        facts = _facts(connection, problem, version)
        parts = PageParts(connection, f"{problem} {version}")
        none: list[Row] = []
        card = {name: parts.read(name, card_queries.read_part, none, name, problem, version) for name in CARD_PARTS}
    return SITE.render("card.html", {"missing": parts.missing, **_arrange(definition, facts, card)})


def show_what_if(user: User, problem: str, version: str) -> HTMLResponse:
    """Show the form of a what-if question, filled with the middle of every feature.

    Raises:
        HTTPException: 404, there is no such problem or version for this person.
    """
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        facts = _facts(connection, problem, version)
        ranges = card_queries.read_ranges(connection, problem, version)
    return SITE.render(
        "what_if.html", {"problem": definition, "facts": facts, "ranges": cards.form_fields(ranges, definition)}
    )


def answer_question(user: User, question: Question) -> JSONResponse:
    """Answer a what-if question; what the model cannot be asked is a sentence.

    Raises:
        HTTPException: 404, there is no such problem for this person.
    """
    # Imported where somebody asks: the API server should not hold scikit-learn for pages that only read.
    from include.learning.explain import what_if

    definition = _readable(user, question.problem)
    try:
        answer = what_if.ask(definition, question.version, question.values)
    except MulgilError as error:
        return JSONResponse({"message": str(error)}, status_code=422)
    return JSONResponse(answer)


def _readable(user: User, name: str) -> Problem:
    """Give a problem that the person may read; others are as if they were not there.

    Raises:
        HTTPException: there is none for them.
    """
    found = read_definitions().problems.get(name)
    if found is None or not found.training or not may_read(user, name):
        raise HTTPException(404, f"There is no problem {name!r} with a model that you may read.")
    return found


def _list(connection: Connection, problem: Problem) -> tuple[Problem, list[Row], list[Row], list[str]]:
    """Read a problem's versions and rules, and name what could not be read."""
    parts = PageParts(connection, problem.name)
    versions = parts.read("versions", card_queries.list_versions, [], problem.name)
    rules = parts.read("rules", card_queries.list_rules, [], problem.name)
    return problem, versions, rules, parts.missing


def _arrange(problem: Problem, facts: Row, card: dict[str, list[Row]]) -> dict[str, object]:
    """Give the card's template what it shows."""
    label = problem.label
    positive = (label.positive if label else None) or "positive"
    other = next((name for name in label.classes if name != positive), "not") if label else "not"
    is_quantity = label is not None and label.quantity is not None
    is_several = label is not None and label.positive is None and not is_quantity
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
        "is_several": is_several,
        "is_quantity": is_quantity,
        "classes": [cards.plain(name) for name in label.classes] if label else [],
        "own_classes": [row for row in card["by_class"] if row["candidate"] == facts["model_name"]],
        "methods": methods,
        "features": features,
        "disputed": cards.widest_dispute(card["agreement"]),
        "curves_svg": [(name, draw_curve(name, own, highest)) for name, own in curves],
        "reliability_svg": draw_reliability(points, title) if points else None,
        "plain_words": cards.plain_words(card["bins"], cards.plain(positive), cards.plain(other)),
        "limits": cards.limits_of(card, facts),
        "refit": cards.how_it_was_fitted(card),
        "shown_segments": card["segments"][: cards.MAX_SEGMENTS],
        "own": next((row for row in card["comparison"] if row["candidate"] == facts["model_name"]), None),
    }


def _facts(connection: Connection, problem: str, version: str) -> Row:
    """Give the facts about one version.

    Raises:
        HTTPException: it was never fitted.
    """
    facts = card_queries.find_version(connection, problem, version)
    if facts is None:
        raise HTTPException(404, f"{problem} has no model version {version!r}.")
    return facts
