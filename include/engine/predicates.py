"""Turns the SQL predicates and expressions of problem files into columns."""

from collections.abc import Mapping

import ibis
import ibis.expr.datatypes as dt

from include.engine.duckdb_sql import describe, select
from include.errors import BadProblem


def add_predicates(table: ibis.Table, predicates: Mapping[str, str]) -> ibis.Table:
    """Say for each row whether each predicate holds; unknown (null) counts as false.

    Args:
        table: rows of the engine.
        predicates: name of the new column to a boolean SQL expression over the columns of `table`.

    Returns:
        `table` with one boolean column more for each predicate, never null, in the order given.

    Raises:
        BadProblem: a predicate is not SQL, names an unknown column, or is not a yes-or-no question; it is named.
    """
    for name, predicate in predicates.items():
        table = _add_one(table, name, predicate)
    return table


def _add_one(table: ibis.Table, name: str, predicate: str) -> ibis.Table:
    """Add one column; one query each, so that an error names its predicate.

    Raises:
        BadProblem: it is no SQL over these columns, no yes-or-no, or its name is taken.
    """
    if name in table.columns:
        raise BadProblem(f"The predicate {name!r} would replace a column of that name; rename one of them.")
    # The line break ends a trailing comment of the predicate before it swallows the bracket.
    query = f'SELECT *, coalesce(({predicate}\n), FALSE) AS "{name}" FROM {{rows}}'
    try:
        kind = ibis.dtype(describe(table, query).field(name).type)
    except Exception as error:
        columns = ", ".join(table.columns)
        first_line = str(error).strip().splitlines()[0]
        raise BadProblem(
            f"The predicate {name!r} cannot be used: {predicate.strip()!r}. {first_line} Columns are: {columns}."
        ) from error
    if not kind.is_boolean():
        raise BadProblem(f"The predicate {name!r} is {kind}, not a yes-or-no: {predicate.strip()!r}.")
    return select(table, query, {name: "boolean"})


def add_words(table: ibis.Table, name: str, expression: str, *, is_list: bool) -> ibis.Table:
    """Add what an expression says of each row: a word, or a list of words; unknown stays null.

    Args:
        table: rows of the engine.
        name: of the new column.
        expression: SQL over the columns of `table`.
        is_list: whether it gives a list.

    Raises:
        BadProblem: the expression is not SQL, names an unknown column, or gives something else; it is shown.
    """
    kind, wanted = ("array<string>", "a list of words") if is_list else ("string", "a word")
    query = f'SELECT *, ({expression}\n) AS "{name}" FROM {{rows}}'
    found = _type_of(table, query, name, expression)
    if found.copy(nullable=True) != ibis.dtype(kind):
        raise BadProblem(f"The expression {expression.strip()!r} gives {found}, not {wanted}.")
    return select(table, query, {name: kind})


def add_quantity(table: ibis.Table, name: str, expression: str) -> ibis.Table:
    """Add the number that an expression gives of each row, as a double; unknown stays null.

    Args:
        table: rows of the engine.
        name: of the new column.
        expression: SQL over the columns of `table`.

    Raises:
        BadProblem: the expression is not SQL, names an unknown column, or gives no number; it is shown.
    """
    found = _type_of(table, f'SELECT *, ({expression}\n) AS "{name}" FROM {{rows}}', name, expression)
    if not found.is_numeric():
        raise BadProblem(f"The expression {expression.strip()!r} gives {found}, not a number.")
    return select(table, f'SELECT *, CAST(({expression}\n) AS DOUBLE) AS "{name}" FROM {{rows}}', {name: "float64"})


def _type_of(table: ibis.Table, query: str, name: str, expression: str) -> dt.DataType:
    """Say what kind of value an expression gives.

    Raises:
        BadProblem: it cannot be asked of the columns of `table`.
    """
    try:
        return ibis.dtype(describe(table, query).field(name).type)
    except Exception as error:
        first_line = str(error).strip().splitlines()[0]
        raise BadProblem(
            f"The expression {expression.strip()!r} cannot be used. {first_line} Columns are: "
            f"{', '.join(table.columns)}."
        ) from error
