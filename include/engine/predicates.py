"""Turns the SQL predicates of problem files into columns."""

from collections.abc import Mapping

import ibis

from include.engine.embedded_sql import describe, select
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
    """Add one column; one query each, so that an error names its predicate."""
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
