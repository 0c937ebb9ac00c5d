"""Binds the SQL of a problem file to the columns that it declares: a mistake in it is told before anything runs.

DuckDB is asked in memory, of one row that holds nothing: what fails there fails whatever a row holds. It is asked in a
process of its own, because DAG files must not bring DuckDB into Airflow's; and a file whose SQL was found sound is not
asked about again.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from include.names import LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, ROW_KEY, UNKNOWN_FIELDS
from include.problems.expectation_rules import nearest
from include.problems.schema import Problem
from include.problems.sections.columns import Column
from include.problems.sections.source import Source
from include.settings import REPOSITORY

if TYPE_CHECKING:
    import duckdb

RULES = 2  # of this file; another number asks about every file again
_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "json": "VARCHAR",
}
_ADDED = dict.fromkeys((PARTITION_KEY, ROW_KEY, OBJECT_KEY, UNKNOWN_FIELDS), "VARCHAR") | {LINE_NUMBER: "BIGINT"}
_UNKNOWN_COLUMN = re.compile(r'Referenced column "([^"]+)" not found')
_MOMENTS = {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
_FITTING = {
    "boolean": {"BOOLEAN"},
    "timestamp": _MOMENTS,
    "string": {"VARCHAR"},
    "integer": {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"},
}
_FITTING["number"] = _FITTING["integer"] | {"DOUBLE", "FLOAT"}
_WANTED = {
    "boolean": "a yes or no",
    "timestamp": "a time; strptime(text, '%d/%m/%Y') reads one of text, to_timestamp(seconds) of seconds",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
}
_NOT_OF_ONE_ROW = {'"class":"WINDOW"': "looks at other rows (OVER)", '"class":"SUBQUERY"': "holds a query of its own"}


@dataclass(frozen=True)
class Expression:
    """SQL that a problem file holds.

    Attributes:
        field: where it stands in the file.
        sql: as it is written; of a query, with `{batch}` for the table.
        columns: what it may name, each with its SQL type.
        gives: declared type of what it must give; None where that depends, or for a query.
        is_query: whether it is a whole query, and no expression over one row.
    """

    field: str
    sql: str
    columns: Mapping[str, str]
    gives: str | None
    is_query: bool = False


def require_bound(problem: Problem, cache: Path) -> list[str]:
    """Say what is wrong with the SQL of a problem file; a line for each field, none where nothing is.

    Args:
        cache: folder that remembers which files were found sound; where it cannot be written, each is asked about anew.
    """
    expressions = list(expressions_of(problem))
    if not expressions:
        return []
    asked = [(item.field, item.sql, dict(item.columns), item.gives) for item in expressions]
    sound = cache / hashlib.sha256(json.dumps([RULES, asked]).encode()).hexdigest()
    with suppress(OSError):
        if sound.exists():
            return []
    complaints = _ask_elsewhere(expressions)
    if not complaints:
        with suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
            sound.touch()
    return complaints


def _ask_elsewhere(expressions: Sequence[Expression]) -> list[str]:
    """Have all expressions bound by another process, which gives their complaints as JSON.

    Raises:
        subprocess.CalledProcessError: it broke, which is a fault of Mulgil.
    """
    command = [sys.executable, "-m", "include.problems.sql_binding"]
    asked = json.dumps([asdict(item) for item in expressions])
    # The module is a constant, and nothing of the file is on the command line.
    answer = subprocess.run(  # noqa: S603
        command, input=asked, capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return [str(said) for said in json.loads(answer.stdout)]


def complaints_of(expressions: Sequence[Expression]) -> list[str]:
    """Say what is wrong with expressions, a line for each that is."""
    return [f"field {item.field}: {said}" for item in expressions if (said := complaint(item)) is not None]


def expressions_of(problem: Problem) -> Iterator[Expression]:
    """List the SQL of a problem file."""
    yield from _of_source(problem.source, "source")
    for name, source in problem.sources.items():
        yield from _of_source(source, f"sources.{name}")
    rows, stored = ({**_types_of(columns), **_ADDED} for columns in (problem.columns, problem.source.stored))
    label, baseline = problem.label, problem.baseline
    asked = {
        "label.known_when": label.known_when if label else None,
        "label.positive_when": label.positive_when if label else None,
        "baseline.positive_when": baseline.positive_when if baseline else None,
    }
    for index, route in enumerate(problem.review.routes if problem.review else []):
        asked[f"review.routes.{index}.when"] = route.when
    for where, experiment in problem.experiment_fields.items():
        asked[f"{where}.eligible"] = experiment.eligible
        if experiment.audience is not None and experiment.eligible is not None:
            # Whoever is to be sent something is asked before there is any exposure.
            theirs = {**_types_of(problem.sources[experiment.audience.from_log].stored), **_ADDED}
            yield Expression(f"{where}.eligible (asked of the audience, too)", experiment.eligible, theirs, "boolean")
    labelled = {**rows, **_types_of_label_log(problem)}
    for field, sql in asked.items():
        if sql is not None:
            # People's routes, audits and experiments are asked of rows as they are stored.
            tables = {"label": labelled, **dict.fromkeys(("review", "experiment", "experiments"), stored)}
            over = tables.get(field.partition(".")[0], rows)
            yield Expression(field, sql, over, "boolean")
    if label is not None and label.value is not None:
        yield Expression("label.value", label.value, labelled, "number" if label.quantity else None)
    for index, expectation in enumerate(problem.quality.expectations if problem.quality else []):
        query = expectation.arguments.get("unexpected_rows_query")
        if isinstance(query, str):
            field = f"quality.expectations.{index}.arguments.unexpected_rows_query"
            yield Expression(field, query, stored, None, is_query=True)


def complaint(expression: Expression) -> str | None:
    """Say what is wrong with one expression; None when nothing is."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in expression.columns.items())
        connection.execute(f"CREATE TABLE batch ({columns})")
        connection.execute(f"INSERT INTO batch VALUES ({', '.join(['NULL'] * len(expression.columns))})")
        return _ask(connection, expression)
    except duckdb.Error as error:
        return _explain(str(error), expression)
    finally:
        connection.close()


def _ask(connection: "duckdb.DuckDBPyConnection", expression: Expression) -> str | None:
    """Bind an expression, and compute it of a row that holds nothing.

    Raises:
        duckdb.Error: it cannot be bound, or fails.
    """
    if expression.is_query:
        connection.execute(expression.sql.replace("{batch}", "batch")).fetchall()
        return None
    query = f"SELECT *, ({expression.sql}\n) FROM batch"
    found = connection.sql(query)
    kind = str(found.types[-1])
    tree = str(connection.execute("SELECT json_serialize_sql($1)", [query]).fetchall()[0][0])
    if _divides_by_zero(json.loads(tree)):
        return "divides by zero, whatever a row holds"
    for mark, said in _NOT_OF_ONE_ROW.items():
        if mark in tree:
            return f"{said}; an expression is about one row by itself"
    if expression.gives is not None and kind not in _FITTING[expression.gives] and not _is_decimal(kind, expression):
        return f"gives {kind}, and must give {_WANTED[expression.gives]}"
    found.fetchall()
    return None


def _divides_by_zero(tree: object) -> bool:
    """Say whether parsed SQL divides by a constant that is zero: the engine makes that NULL without a word."""
    if isinstance(tree, dict):
        if tree.get("function_name") in {"/", "//", "%"}:
            divisor = tree["arguments"][-1]["expression"].get("literal", {})
            if re.fullmatch(r"0*\.?0+", str(divisor.get("text", ""))):
                return True
        return any(_divides_by_zero(part) for part in tree.values())
    return isinstance(tree, list) and any(_divides_by_zero(part) for part in tree)


def _is_decimal(kind: str, expression: Expression) -> bool:
    """Say whether a number with a fixed number of digits is given where a number is wanted."""
    return kind.startswith("DECIMAL") and (
        expression.gives == "number" or (expression.gives == "integer" and kind.endswith(",0)"))
    )


def _explain(error: str, expression: Expression) -> str:
    """Turn what DuckDB says into a sentence with the nearest right name."""
    unknown = _UNKNOWN_COLUMN.search(error)
    if unknown is not None:
        known = [name for name in expression.columns if not name.startswith("_")]
        meant = nearest(unknown[1], known) or f"; columns are: {', '.join(known)}"
        return f"names a column {unknown[1]!r}, which the problem does not have{meant}"
    kind, _, said = error.strip().splitlines()[0].partition(": ")
    fails = "fails whatever a row holds: " if kind in {"Conversion Error", "Invalid Input Error"} else ""
    return f"cannot be used: {fails}{said or kind}"


def _of_source(source: Source, where: str) -> Iterator[Expression]:
    """List the SQL of one log."""
    rule = source.event_time_rule
    if rule is not None and rule.sql is not None:
        # It is computed of values as they are typed, before any is masked.
        typed = {name: _TYPES[column.type] for name, column in source.declared.items()}
        yield Expression(f"{where}.event_time.sql", rule.sql, typed, "timestamp")
    before = _types_of(source.columns)
    for name, derived in source.derive.items():
        yield Expression(f"{where}.derive.{name}.sql", derived.sql, dict(before), derived.type)
        before[name] = _TYPES[derived.type]
    for name, lag in source.lags.items():
        # One answer for many rows: a column that stands outside of every aggregate is refused.
        query = f"SELECT ({lag.sql}\n) FROM {{batch}} GROUP BY ()"
        yield Expression(f"{where}.lags.{name}.sql", query, before, None, is_query=True)


def _types_of_label_log(problem: Problem) -> dict[str, str]:
    """Say what the label log says of a row: a structure of its columns, named after it."""
    log = problem.label.from_log if problem.label else None
    if log is None:
        return {}
    fields = ", ".join(f'"{name}" {kind}' for name, kind in _types_of(problem.sources[log].stored).items())
    return {log: f"STRUCT({fields})"}


def _types_of(columns: Mapping[str, Column]) -> dict[str, str]:
    """Say how columns are stored; what is masked is text, whatever it was."""
    return {name: "VARCHAR" if column.pii != "none" else _TYPES[column.type] for name, column in columns.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(complaints_of([Expression(**item) for item in json.load(sys.stdin)])))
