"""Makes the views of `include/bi`: one file each, a comment that says what it is, then one SELECT.

The comment ends with `-- Columns:` and a line for each column, `--   name: what it says, unit`; a longer one goes on
two spaces further in. It is the one place where a column is explained: PostgreSQL's own comments are made from it.
What does not belong here: what any of them says.
"""

import graphlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from include.names import BI
from include.settings import REPOSITORY

FOLDER = REPOSITORY / "include" / "bi"
_COLUMNS = "-- Columns:"
Row = dict[str, Any]


@dataclass(frozen=True)
class View:
    """One view as its file has it."""

    name: str
    header: str  # the comment: grain, what it reads, units
    columns: Mapping[str, str]  # each column and what it says, with its unit
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


def select_rows(connection: Connection, name: str, problem: str, folder: Path = FOLDER) -> list[Row]:
    """Read what a view says of one problem, by the view's own SELECT: a step needs no view to be there for it.

    Args:
        name: of a view that reads no other view.

    Raises:
        ValueError: a file has no header comment.
    """
    select = _read_view(folder / f"{name}.sql").select.replace("%", "%%")
    query = f"SELECT * FROM ({select}) AS rows_of_view WHERE problem = %(problem)s"
    return [dict(row) for row in connection.exec_driver_sql(query, {"problem": problem}).mappings()]


def create_views(connection: Connection, folder: Path = FOLDER) -> list[str]:
    """Make every view anew, inside the caller's transaction; its file's comments become those of view and columns.

    Returns:
        the names, in the order they were made.

    Raises:
        ValueError: a file has no header, or reads a view that has no file, or views read each other in a circle, or a
            column has no comment, or a comment no column.
    """
    drop_views(connection)
    # Without parameters the driver leaves % in the text alone.
    plain = connection.execution_options(no_parameters=True)
    views = read_views(folder)
    for view in views:
        plain.exec_driver_sql(f'CREATE VIEW {BI}."{view.name}" AS\n{view.select}')
    _require_comments(connection, views)
    # In one call: seven hundred of their own would take longer than the views.
    plain.exec_driver_sql(";\n".join(comment for view in views for comment in _comments_of(view)))
    return [view.name for view in views]


def drop_views(connection: Connection) -> None:
    """Remove every view of the schema, in one statement, so that their order does not matter."""
    query = text("SELECT quote_ident(viewname) FROM pg_views WHERE schemaname = :schema ORDER BY viewname")
    names = connection.scalars(query, {"schema": BI}).all()
    if names:
        connection.exec_driver_sql("DROP VIEW " + ", ".join(f"{BI}.{name}" for name in names))


def _require_comments(connection: Connection, views: Sequence[View]) -> None:
    """Refuse a view with a column that nobody explains, or an explanation of a column that is not there.

    Raises:
        ValueError: there is one.
    """
    query = text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema")
    found = {tuple(row) for row in connection.execute(query, {"schema": BI})}
    said = {(view.name, column) for view in views for column in view.columns}
    bare, idle = ([f"{v}.{c}" for v, c in sorted(these)] for these in (found - said, said - found))
    if bare or idle:
        raise ValueError(
            f"{len(bare)} of {len(found)} columns of views have no comment ({', '.join(bare) or 'none'}), and "
            f"{len(idle)} of {len(said)} comments have no column ({', '.join(idle) or 'none'}). Write a line for each "
            "column under -- Columns: at the end of its file's header, as in --   n_rows: scored rows, count."
        )


def _comments_of(view: View) -> list[str]:
    """Write the statements that put a view's comments into PostgreSQL."""
    name = f'{BI}."{view.name}"'
    return [
        f"COMMENT ON VIEW {name} IS {_quote(view.header)}",
        *(f'COMMENT ON COLUMN {name}."{column}" IS {_quote(comment)}' for column, comment in view.columns.items()),
    ]


def _quote(comment: str) -> str:
    """Write a text as SQL has it; COMMENT ON takes no bound values."""
    return "'" + comment.replace("'", "''") + "'"


def _read_view(path: Path) -> View:
    """Split one file into its header comment, those of its columns, and its SELECT.

    Raises:
        ValueError: it has no header.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    n_header = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    if n_header == 0:
        raise ValueError(f"{path.name} does not start with a comment that says its grain, what it reads and its units.")
    n_about = lines.index(_COLUMNS) if _COLUMNS in lines[:n_header] else n_header
    header = "\n".join(line.removeprefix("--").strip() for line in lines[:n_about])
    columns = _read_columns(lines[n_about + 1 : n_header])
    select = "\n".join(lines[n_header:]).strip().removesuffix(";")
    return View(path.stem, header, columns, select, frozenset(re.findall(rf"\b{BI}\.(\w+)", select)))


def _read_columns(lines: Sequence[str]) -> dict[str, str]:
    """Read the lines about columns; one that is further in belongs to the column before."""
    columns: dict[str, str] = {}
    for line in lines:
        begun = re.match(r"--   (\w+): (.+)", line)
        if begun:
            columns[begun[1]] = begun[2].strip()
        elif columns:
            name = next(reversed(columns))
            columns[name] += f" {line.removeprefix('--').strip()}"
    return columns


def _require_known(views: Mapping[str, View]) -> None:
    """Refuse a view that reads one that has no file.

    Raises:
        ValueError: there is one.
    """
    for view in views.values():
        missing = sorted(view.reads - views.keys())
        if missing:
            raise ValueError(f"{view.name}.sql reads {BI}.{missing[0]}, but there is no {missing[0]}.sql.")
