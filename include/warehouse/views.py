"""Makes the views of `include/bi`: one file each, a comment that says what it is, then one SELECT.

What does not belong here: what any of them says.
"""

import graphlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from include.names import BI
from include.settings import REPOSITORY

FOLDER = REPOSITORY / "include" / "bi"


@dataclass(frozen=True)
class View:
    """One view as its file has it."""

    name: str
    header: str  # the comment: grain, what it reads, units
    select: str
    reads: frozenset[str]  # names of other views in its FROM


def read_views(folder: Path = FOLDER) -> list[View]:
    """Read the view files, those that others read from first.

    Raises:
        ValueError: a file has no header comment, reads a view that has no file, or they read each other in a circle.
    """
    views = {path.stem: _read_view(path) for path in sorted(folder.glob("*.sql"))}
    _require_known(views)
    try:
        order = list(graphlib.TopologicalSorter({name: view.reads for name, view in views.items()}).static_order())
    except graphlib.CycleError as error:
        raise ValueError(f"Views read each other in a circle: {' -> '.join(error.args[1])}.") from error
    return [views[name] for name in order]


def create_views(connection: Connection, folder: Path = FOLDER) -> list[str]:
    """Make every view anew, inside the caller's transaction; each file's header becomes the view's comment.

    Returns:
        the names, in the order they were made.
    """
    drop_views(connection)
    # Without parameters the driver leaves % in the text alone.
    plain = connection.execution_options(no_parameters=True)
    views = read_views(folder)
    for view in views:
        plain.exec_driver_sql(f'CREATE VIEW {BI}."{view.name}" AS\n{view.select}')
        comment = view.header.replace("'", "''")
        plain.exec_driver_sql(f"COMMENT ON VIEW {BI}.\"{view.name}\" IS '{comment}'")
    return [view.name for view in views]


def drop_views(connection: Connection) -> None:
    """Remove every view of the schema, in one statement, so that their order does not matter."""
    query = text("SELECT quote_ident(viewname) FROM pg_views WHERE schemaname = :schema ORDER BY viewname")
    names = connection.scalars(query, {"schema": BI}).all()
    if names:
        connection.exec_driver_sql("DROP VIEW " + ", ".join(f"{BI}.{name}" for name in names))


def _read_view(path: Path) -> View:
    """Split one file into its header comment and its SELECT."""
    lines = path.read_text(encoding="utf-8").splitlines()
    n_header = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    if n_header == 0:
        raise ValueError(f"{path.name} does not start with a comment that says its grain, what it reads and its units.")
    header = "\n".join(line.removeprefix("--").strip() for line in lines[:n_header])
    select = "\n".join(lines[n_header:]).strip().removesuffix(";")
    return View(path.stem, header, select, frozenset(re.findall(rf"\b{BI}\.(\w+)", select)))


def _require_known(views: Mapping[str, View]) -> None:
    """Refuse a view that reads one that has no file."""
    for view in views.values():
        missing = sorted(view.reads - views.keys())
        if missing:
            raise ValueError(f"{view.name}.sql reads {BI}.{missing[0]}, but there is no {missing[0]}.sql.")
