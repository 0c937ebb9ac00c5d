"""The Reports page's routes: read the views, hand them to the template.

What does not belong here: SQL (`include/warehouse/queries.py`), drawing (`pictures.py`), rights (`access.py`).
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.exc import SQLAlchemyError

from include.names import Stage, dag_id
from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.warehouse import queries
from include.warehouse.database import open_warehouse
from pages.access import User, may_read, require_login
from reports.pictures import ReliabilityPoint, draw_reliability

HERE = Path(__file__).parent
# Nothing on the page runs or loads anything from elsewhere; Airflow shows it in a frame of its own origin.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'self'; base-uri 'none'"

TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True)
TEMPLATES.filters["of_100"] = lambda ratio: "–" if ratio is None else f"{100 * ratio:.0f}"
TEMPLATES.filters["of_100_fine"] = lambda ratio: "–" if ratio is None else f"{100 * ratio:.1f}"
TEMPLATES.filters["whole"] = lambda number: "–" if number is None else f"{number:,.0f}"
TEMPLATES.filters["decimal"] = lambda number: "–" if number is None else f"{number:.3f}"


def create_app() -> FastAPI:
    """Make the app; every route asks who you are."""
    app = FastAPI(dependencies=[require_login], docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/", show_reports, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/audits/{name}", list_audits, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/audits/{name}/{partition_key}", show_audit, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/style.css", send_style, methods=["GET"])
    app.add_api_route("/icon.svg", send_icon, methods=["GET"])
    return app


def show_reports(request: Request, user: User) -> HTMLResponse:
    """Show the newest state of every problem that the person may read."""
    del request
    problems, errors = load_problems()
    readable = [problem for problem in problems if may_read(user, problem.name)]
    try:
        with open_warehouse().connect() as connection:
            reports = [_report(connection, problem) for problem in readable]
    except SQLAlchemyError as error:
        return _page("unavailable.html", 503, reason=type(error).__name__)
    return _page("reports.html", 200, reports=reports, n_broken=len(errors), user_name=user.get_name())


def list_audits(name: str, user: User) -> HTMLResponse:
    """List the audited partitions of a problem.

    Args:
        name: of the problem, or of one of its DAGs, whose tab shows this page.
    """
    problem = _readable(name, user)
    try:
        with open_warehouse().connect() as connection:
            partitions = queries.completeness_by_partition(connection, problem.name)
    except SQLAlchemyError as error:
        return _page("unavailable.html", 503, reason=type(error).__name__)
    return _page("audits.html", 200, problem=problem, partitions=partitions)


def show_audit(name: str, partition_key: str, user: User) -> HTMLResponse:
    """Show what Great Expectations said of one partition: its Data Docs."""
    problem = _readable(name, user)
    try:
        with open_warehouse().connect() as connection:
            partitions = queries.completeness_by_partition(connection, problem.name)
            docs = queries.data_docs_of(connection, problem.name, partition_key)
    except SQLAlchemyError as error:
        return _page("unavailable.html", 503, reason=type(error).__name__)
    row = next((row for row in partitions if row["partition_key"] == partition_key), None)
    if row is None or docs is None:
        raise HTTPException(404, f"{partition_key!r} is no audited partition of {problem.name}.")
    return _page("audit.html", 200, problem=problem, row=row, docs=docs)


def _readable(name: str, user: User) -> Problem:
    """Find a problem that the person may read; whether there is one that he may not read is not told."""
    problems, _ = load_problems()
    for problem in problems:
        if name in {problem.name, *(dag_id(problem.name, stage) for stage in Stage)} and may_read(user, problem.name):
            return problem
    raise HTTPException(404, f"There is no problem {name!r} that you may read.")


def _report(connection: Any, problem: Any) -> dict[str, Any]:
    """Collect what the page shows about one problem."""
    bins = queries.newest_reliability(connection, problem.name)
    points = [
        ReliabilityPoint(row["mean_predicted_ratio"], row["observed_ratio"], row["low"], row["high"], row["n_rows"])
        for row in bins
    ]
    title = f"{problem.title}: what the model said against what happened"
    return {
        "problem": problem,
        "completeness": queries.completeness_totals(connection, problem.name),
        "partitions": queries.completeness_by_partition(connection, problem.name),
        "model": queries.model_in_production(connection, problem.name),
        "comparison": queries.model_comparison(connection, problem.name),
        "bins": bins,
        "reliability_svg": draw_reliability(points, title) if points else None,
        "calibration": queries.calibration_by_month(connection, problem.name),
        "honesty": queries.honesty(connection, problem.name),
        "drift": queries.largest_drift(connection, problem.name),
        "rounds": queries.review_rounds(connection, problem.name),
        "experiment": queries.experiment_result(connection, problem.name),
        "alerts": queries.open_alerts(connection, problem.name),
    }


def send_style() -> Response:
    """Send the page's style."""
    return Response((HERE / "static" / "style.css").read_text(encoding="utf-8"), media_type="text/css")


def send_icon() -> Response:
    """Send the icon that Airflow shows in its navigation."""
    return Response((HERE / "static" / "icon.svg").read_text(encoding="utf-8"), media_type="image/svg+xml")


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    """Render a template, with the headers that keep the page to itself."""
    html = TEMPLATES.get_template(template).render(**values)
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return HTMLResponse(html, status_code=status, headers=headers)
