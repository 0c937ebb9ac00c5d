"""The routes of the Experiments page: who asks, may they, and what the templates are given.

What does not belong here: SQL (`include/warehouse/experiment_queries.py`), arranging (`cards.py`), drawing
(`pictures.py`), words (`texts/`), headers and errors (`pages/shell.py`).
"""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from experiment_card import cards, numbers, showing, tables
from experiment_card.texts import say
from include.problems.schema import Problem
from include.warehouse import experiment_history_queries as history
from include.warehouse import experiment_queries
from include.warehouse.database import open_warehouse
from include.warehouse.page_parts import PageParts
from pages.access import User, may_read
from pages.definitions import read_definitions
from pages.languages import LANGUAGES, find_language
from pages.shell import PAGE_STYLE, make_app, make_site

HERE = Path(__file__).parent
Row = cards.Row
SITE = make_site("Experiments", HERE, "style.css", [PAGE_STYLE, HERE / "static" / "experiment.css"])
SITE.templates.filters |= {
    "whole": numbers.write_whole,
    "sized": numbers.write_sized,
    "of_100": numbers.write_of_100,
    "p": numbers.write_p,
    "chance": numbers.write_chance,
    "moment": lambda moment: numbers.NONE if moment is None else f"{moment:%Y-%m-%d %H:%M}",
    "json": lambda value: json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str),
}
SITE.templates.globals["between"] = numbers.write_between


def create_app() -> FastAPI:
    """Make the app; every route asks who you are."""
    return make_app(SITE, {"/": list_experiments, "/experiment": show_experiment, "/csv": send_table})


def list_experiments(user: User, request: Request) -> HTMLResponse:
    """List every experiment of the problems that the person may read, also those that their files name no more."""
    known = read_definitions()
    readable = [problem for problem in known.problems.values() if may_read(user, problem.name)]
    rows: list[Row] = []
    missing: list[str] = []
    with open_warehouse().connect() as connection:
        for problem in readable:
            parts = PageParts(connection, problem.name)
            results = parts.read("experiments", experiment_queries.experiments, [], problem.name)
            ranges = parts.read("shares", history.shares_by_window, [], problem.name)
            units = parts.read("units", history.units_by_phase, [], problem.name)
            missing += [f"{problem.title}: {part}" for part in parts.missing]
            # What is not known is not said to have not begun.
            names = [] if "experiments" in parts.missing else [*problem.named_experiments]
            names += [str(row["experiment"]) for row in results if row["experiment"] not in names]
            rows += [showing.summarise(problem, name, results, ranges, units) for name in names]
    values = {"rows": rows, "missing": missing, "n_broken": known.n_broken}
    return SITE.render("experiments.html", values | _words(request))


def show_experiment(user: User, request: Request, problem: str, experiment: str) -> HTMLResponse:
    """Show one experiment; a part that cannot be read is named, all others are there.

    Raises:
        HTTPException: 404, there is no such problem or experiment for this person.
    """
    definition = _readable(user, problem)
    with open_warehouse().connect() as connection:
        parts = PageParts(connection, f"{problem} {experiment}")
        results = parts.read("experiments", experiment_queries.experiments, [], problem)
        _require_experiment(definition, experiment, results, is_unknown="experiments" in parts.missing)
        own = {
            "ranges": parts.read("shares", history.shares_by_window, [], problem),
            "units": parts.read("units", history.units_by_phase, [], problem),
            "lifts": parts.read("lifts", history.lifts_by_window, [], problem, experiment),
            "decisions": parts.read("decisions", history.decisions_by_window, [], problem, experiment),
            "plans": parts.read("plans", history.plans, [], problem, experiment),
        }
    words = _words(request)
    card = showing.arrange(definition, experiment, results, own, words["language"])
    return SITE.render("experiment.html", {"missing": parts.missing, **card, **words})


def send_table(user: User, problem: str, experiment: str, table: str) -> Response:
    """Send the numbers behind one picture or list of an experiment as CSV.

    Raises:
        HTTPException: 404, there is no such problem, experiment or table for this person.
    """
    definition = _readable(user, problem)
    if table not in tables.COLUMNS:
        raise HTTPException(404, f"There is no table {table!r}; there are {', '.join(tables.COLUMNS)}.")
    with open_warehouse().connect() as connection:
        results = experiment_queries.experiments(connection, problem)
        _require_experiment(definition, experiment, results, is_unknown=False)
        if table == "shares":
            rows = [row for row in history.shares_by_window(connection, problem) if row["experiment"] == experiment]
        elif table == "lifts":
            rows = history.lifts_by_window(connection, problem, experiment)
        elif table == "decisions":
            rows = history.decisions_by_window(connection, problem, experiment)
        elif table == "plans":
            rows = history.plans(connection, problem, experiment)
        else:
            own: list[Any] = [row[table] for row in results if row["experiment"] == experiment]
            rows = own[0] if own else []
    name = re.sub(r"[^\w-]+", "_", f"{problem}-{experiment}-{table}", flags=re.ASCII)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(tables.write_csv(table, rows), media_type="text/csv; charset=utf-8", headers=headers)


def _words(request: Request) -> dict[str, Any]:
    """Give a template its language: `t(key, name=value)` says a sentence, `link` keeps the language."""
    language = find_language(request)
    other = next(name for name in LANGUAGES if name != language)
    asked = {name: value for name, value in request.query_params.items() if name != "lang"}
    return {
        "language": language,
        "other": other,
        "other_address": "?" + urlencode(asked | {"lang": other}),
        "t": lambda key, **values: say(language, key, values),
        "end": lambda number: showing.write_end(number, language),
        "link": lambda **query: urlencode(query | {"lang": language}),
        "day": lambda moment: f"{moment:%Y-%m-%d}" if isinstance(moment, datetime) else numbers.NONE,
    }


def _readable(user: User, name: str) -> Problem:
    """Give a problem that the person may read; others are as if they were not there.

    Raises:
        HTTPException: there is none for them.
    """
    found = read_definitions().problems.get(name)
    if found is None or not may_read(user, name):
        raise HTTPException(404, f"There is no problem {name!r} that you may read.")
    return found


def _require_experiment(problem: Problem, name: str, results: list[Row], *, is_unknown: bool) -> None:
    """Refuse an experiment that neither the file nor the warehouse knows.

    Raises:
        HTTPException: there is none.
    """
    recorded = {row["experiment"] for row in results}
    if name not in problem.named_experiments and name not in recorded and not is_unknown:
        raise HTTPException(404, f"{problem.name} has no experiment {name!r}.")
