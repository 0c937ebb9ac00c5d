"""The Reports page's routes: read the views, hand them to the template.

What does not belong here: SQL (`include/warehouse/queries.py`), drawing (`pictures.py`), rights (`pages/access.py`),
headers and errors (`pages/shell.py`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy import Connection

from include.names import Stage, dag_id
from include.problems.schema import Problem
from include.warehouse import alert_queries, estimate_queries, experiment_queries, queries, timeline_queries
from include.warehouse.database import open_warehouse
from include.warehouse.page_parts import PageParts
from include.warehouse.views import Row
from pages.access import User, may_answer, may_read
from pages.csv_text import write_rows
from pages.definitions import read_definitions
from pages.languages import LANGUAGES, find_language
from pages.shell import PAGE_STYLE, make_app, make_site
from reports import alerts, front, front_texts, timeline, timeline_texts
from reports.calibration_texts import TEXTS
from reports.pictures import CurvePoint, ReliabilityPoint, draw_curve, draw_reliability

SITE = make_site("Reports", Path(__file__).parent, "style.css", [PAGE_STYLE], ["alerts.js"])
SITE.templates.filters["of_100"] = lambda ratio: "–" if ratio is None else f"{100 * ratio:.0f}"
SITE.templates.filters["of_100_fine"] = lambda ratio: "–" if ratio is None else f"{100 * ratio:.1f}"
SITE.templates.filters["of_100_sized"] = lambda ratio: "–" if ratio is None else _sized(100 * ratio)
SITE.templates.filters["whole"] = lambda number: "–" if number is None else f"{number:,.0f}"
SITE.templates.filters["decimal"] = lambda number: "–" if number is None else f"{number:.3f}"
NOTHING = dict.fromkeys(
    ("n_in", "n_published", "n_quarantined", "n_duplicate", "n_partitions", "n_partitions_published"), 0
)


def _sized(number: float) -> str:
    """Write a number with two digits that mean something: 25, 2.5, 0.25."""
    return f"{number:.0f}" if abs(number) >= 10 else f"{number:.1f}" if abs(number) >= 1 else f"{number:.2f}"


def create_app() -> FastAPI:
    """Make the app; every route asks who you are."""
    reads: dict[str, Callable[..., Response]] = {
        "/": show_front,
        "/problems/{name}": show_problem,
        "/timeline/{name}": show_timeline,
        "/timeline/{name}/csv": send_timeline,
        "/audits/{name}": list_audits,
        "/audits/{name}/{partition_key}": show_audit,
        "/alerts/{name}": show_alerts,
    }
    return make_app(SITE, reads, {"/alerts/{name}/snooze": snooze_alert, "/alerts/{name}/close": close_alert})


def show_front(user: User, request: Request) -> HTMLResponse:
    """Show how every problem stands that the person may read."""
    known, language = read_definitions(), find_language(request)
    readable = [problem for problem in known.problems.values() if may_read(user, problem.name)]
    with open_warehouse().connect() as connection:
        found = front.read_findings(connection, [problem.name for problem in readable])
    words = front_texts.TEXTS[language]
    entries = front.arrange(readable, found, words, language, lambda name: may_answer(user, name))
    values = {"entries": entries, "n_broken": known.n_broken, "user_name": user.get_name(), "t": words}
    return SITE.render("front.html", values | {"language": language, "other": _other(language)})


def show_problem(name: str, user: User, request: Request) -> HTMLResponse:
    """Show the newest state of one problem.

    Raises:
        HTTPException: 404, there is no such problem for this person.
    """
    problem, language = _readable(name, user), find_language(request)
    with open_warehouse().connect() as connection:
        report = _report(connection, problem, language)
    values = {"problem": problem, "report": report, "user_name": user.get_name(), "t": TEXTS[language]}
    return SITE.render("problem.html", values | {"language": language, "other": _other(language)})


def show_timeline(
    name: str, user: User, request: Request, kind: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> HTMLResponse:
    """Show what happened to a problem, the newest first.

    Raises:
        HTTPException: 404, there is no such problem for this person, or no such kind of event.
    """
    problem, language = _readable(name, user), find_language(request)
    words = timeline_texts.TEXTS[language]
    _require_kind(kind)
    with open_warehouse().connect() as connection:
        line = timeline.read_events(connection, problem.name, timeline.MOST_READ, kind)
        parts = PageParts(connection, problem.name)
        audited = parts.read("docs", timeline_queries.audited_keys, frozenset(), problem.name)
    values = timeline.page_values(line, page)
    values["events"] = [timeline.describe(event, problem.name, audited, words, language) for event in values["events"]]

    def address(**query: object) -> str:
        """Give the address of this page with something else asked for; another kind begins at its newest."""
        return "?" + urlencode({"lang": language, "kind": kind} | query)

    about = {"problem": problem, "page": page, "kind": kind, "kinds": list(timeline.KINDS), "address": address}
    about |= {"csv_address": f"{problem.name}/csv?{urlencode({'kind': kind})}", "complete_since": line.complete_since}
    about |= {"missing": [words[part] for part in (*line.missing, *parts.missing)], "t": words, "language": language}
    return SITE.render("timeline.html", values | about | {"other": _other(language)})


def send_timeline(name: str, user: User, kind: str = "") -> Response:
    """Send what happened to a problem as CSV, the newest first: of each kind the newest 20,000 events.

    Where older ones are left out, the file's name says since when all are there.

    Raises:
        HTTPException: 404, there is no such problem for this person, or no such kind of event; 500, a kind could not be
            read, for a table that lacks it would not say so.
    """
    problem = _readable(name, user)
    _require_kind(kind)
    with open_warehouse().connect() as connection:
        line = timeline.read_events(connection, problem.name, timeline.MOST_SENT, kind)
    if line.missing:
        raise HTTPException(
            500, f"Not sent, for these could not be read: {', '.join(line.missing)}. Nothing was changed."
        )
    since = f"-since-{line.complete_since:%Y%m%dT%H%M%SZ}" if line.complete_since else ""
    headers = {"Content-Disposition": f'attachment; filename="{problem.name}-timeline{since}.csv"'}
    return Response(write_rows(timeline.COLUMNS, line.events), media_type="text/csv; charset=utf-8", headers=headers)


def _require_kind(kind: str) -> None:
    """Refuse a kind of event that there is not.

    Raises:
        HTTPException: there is none of that name.
    """
    if kind and kind not in timeline.KINDS:
        raise HTTPException(404, f"There is no kind of event {kind!r}; there are {', '.join(timeline.KINDS)}.")


def _other(language: str) -> str:
    """Name the language that the page is not in."""
    return next(name for name in LANGUAGES if name != language)


def list_audits(name: str, user: User) -> HTMLResponse:
    """List the audited partitions of a problem.

    Args:
        name: of the problem, or of one of its DAGs, whose tab shows this page.

    Raises:
        HTTPException: 404, there is no such problem for this person.
    """
    problem = _readable(name, user)
    with open_warehouse().connect() as connection:
        partitions = queries.completeness_by_partition(connection, problem.name)
    return SITE.render("audits.html", {"problem": problem, "partitions": partitions})


def show_audit(name: str, partition_key: str, user: User) -> HTMLResponse:
    """Show what Great Expectations said of one partition: its Data Docs.

    Raises:
        HTTPException: 404, there is no such problem or partition, or nobody has audited it.
    """
    problem = _readable(name, user)
    with open_warehouse().connect() as connection:
        partitions = queries.completeness_by_partition(connection, problem.name)
        docs = queries.data_docs_of(connection, problem.name, partition_key)
    row = next((row for row in partitions if row["partition_key"] == partition_key), None)
    if row is None or docs is None:
        raise HTTPException(404, f"{partition_key!r} is no audited partition of {problem.name}.")
    # Great Expectations begins at the fifth level; below the page's own heading comes the second.
    html = docs["html"].replace("<h5", "<h2").replace("</h5", "</h2")
    return SITE.render("audit.html", {"problem": problem, "row": row, "docs": docs, "html": html})


def show_alerts(name: str, user: User, request: Request) -> HTMLResponse:
    """Show the alerts of a problem, and what became of them.

    Raises:
        HTTPException: 404, there is no such problem for this person.
    """
    problem = _readable(name, user)
    values = alerts.page_values(problem.name, user, find_language(request))
    return SITE.render("alerts.html", {"problem": problem, **values})


def snooze_alert(name: str, body: alerts.SnoozeBody, user: User, request: Request) -> JSONResponse:
    """Put an alert off.

    Raises:
        HTTPException: 404, there is no such problem for this person; 403, they may only read.
    """
    return alerts.snooze(_readable(name, user).name, body, user, find_language(request))


def close_alert(name: str, body: alerts.CloseBody, user: User, request: Request) -> JSONResponse:
    """Close an alert.

    Raises:
        HTTPException: 404, there is no such problem for this person; 403, they may only read.
    """
    return alerts.close(_readable(name, user).name, body, user, find_language(request))


def _readable(name: str, user: User) -> Problem:
    """Find a problem that the person may read; whether there is one that they may not read is not told.

    Raises:
        HTTPException: there is none for them, or the name is of a DAG that belongs to no problem.
    """
    for problem in read_definitions().problems.values():
        if name in {problem.name, *(dag_id(problem.name, stage) for stage in Stage)} and may_read(user, problem.name):
            return problem
    raise HTTPException(
        404,
        f"There is no problem {name!r} that you may read. Data Docs are about one problem's data: a DAG that works for "
        "all problems, such as erase, has none.",
    )


def _draw_newest_curve(rows: list[Row], problem: Problem, language: str) -> dict[str, str]:
    """Draw the calibration curve, and say of which parts its Brier score is made; nothing without points."""
    if not rows:
        return {}
    words, first = TEXTS[language], rows[0]
    names = ("predicted_ratio", "recalibrated_ratio", "band_low", "band_high", "n_rows")
    points = [CurvePoint(*(row[name] for name in names)) for row in rows]
    parts = {name: f"{first[f'{name}_brier']:.4f}" for name in ("miscalibration", "discrimination", "uncertainty")}
    return {
        "svg": draw_curve(points, f"{problem.title}: {words['title']}", words),
        "parts": words["parts"].format(score=f"{first['brier_score']:.4f}", **parts),
        "partition_key": first["partition_key"],
    }


def _report(connection: Connection, problem: Problem, language: str) -> dict[str, object]:
    """Collect what the page shows about one problem; a part that cannot be read is named, all others are there."""
    name = problem.name
    parts = PageParts(connection, name)
    bins = parts.read("reliability", queries.newest_reliability, [], name)
    points = [
        ReliabilityPoint(row["mean_predicted_ratio"], row["observed_ratio"], row["low"], row["high"], row["n_rows"])
        for row in bins
    ]
    curve = parts.read("calibration curve", queries.newest_curve, [], name)
    title = f"{problem.title}: what the model said against what happened"
    return {
        "problem": problem,
        "completeness": parts.read("rows", queries.completeness_totals, NOTHING, name),
        "partitions": parts.read("partitions", queries.completeness_by_partition, [], name),
        "model": parts.read("model in production", queries.model_in_production, None, name),
        "comparison": parts.read("model comparison", queries.model_comparison, [], name),
        "bins": bins,
        "curve": curve,
        "curve_picture": _draw_newest_curve(curve, problem, language),
        "reliability_svg": draw_reliability(points, title) if points else None,
        "calibration": parts.read("month by month", queries.calibration_by_month, [], name),
        "estimates": parts.read("before labels", estimate_queries.newest_estimates, [], name),
        "audited": parts.read("estimates held against labels", estimate_queries.audited_estimates, [], name),
        "classes": parts.read("classes", queries.newest_classes, [], name),
        "quantities": parts.read("quantity month by month", queries.quantity_by_month, [], name),
        "honesty": parts.read("honesty", queries.honesty, None, name),
        "drift": parts.read("drift", queries.largest_drift, [], name),
        "rounds": parts.read("rounds", queries.review_rounds, [], name),
        "experiments": parts.read("experiments", experiment_queries.experiments, [], name),
        "now": datetime.now(UTC),
        "refused_lines": parts.read("label files", queries.refused_label_lines, [], name),
        "waiting": parts.read("what waits", alert_queries.oldest_waiting, [], name),
        "alerts": parts.read("alerts", queries.open_alerts, [], name),
        "missing": parts.missing,
    }
