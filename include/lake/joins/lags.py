"""Computes lags: aggregates over the earlier rows of a key, as of each row's event.

Only strictly earlier rows count. Rows of one moment do not see each other, whatever order they came in.
"""

from collections.abc import Sequence
from datetime import timedelta

import duckdb
import ibis
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from include.engine.joined_rows import select_joined
from include.errors import BadProblem
from include.names import PARTITION_KEY
from include.problems.sections.computed import Lag
from include.problems.sections.source import Source

_SQL_TYPES = {"integer": "BIGINT", "number": "DOUBLE"}
_IBIS_TYPES = {"integer": "int64", "number": "float64"}


def add_lags(rows: ibis.Table, source: Source, partitions: Sequence[str] | None) -> ibis.Table:
    """Give rows their lags.

    Args:
        rows: of the partitions that are wanted, and of those before them that the lags look back on.
        partitions: that are wanted; all of `rows` when None.

    Returns:
        the rows that are wanted, with a column for each lag; missing where the key is.

    Raises:
        BadProblem: an expression is not SQL over the columns, or no aggregate.
    """
    lags = [
        f'CASE WHEN "{lag.per}" IS NOT NULL THEN CAST(({windowed(name, lag)}) AS {_SQL_TYPES[lag.type]}) END'
        f' AS "{name}"'
        for name, lag in source.lags.items()
    ]
    frames = [f"{_window(name)} AS ({_frame(lag, source.event_time)})" for name, lag in source.lags.items()]
    wanted = ", ".join(f"'{key}'" for key in partitions or [])
    where = "" if partitions is None else f'WHERE "{PARTITION_KEY}" IN ({wanted})' if wanted else "WHERE FALSE"
    query = f"SELECT * FROM (SELECT *, {', '.join(lags)} FROM events WINDOW {', '.join(frames)}) {where}"
    kinds = {name: _IBIS_TYPES[lag.type] for name, lag in source.lags.items()}
    held = dict(rows.schema().items())
    _require_columns(held, query)
    return select_joined({"events": rows}, query, {**held, **kinds})


def windowed(name: str, lag: Lag) -> str:
    """Write a lag's expression so that each of its aggregates is over its window.

    Raises:
        BadProblem: it is not SQL, has no aggregate, or looks elsewhere by itself.
    """
    try:
        tree = sqlglot.parse_one(lag.sql, read="duckdb")
    except SqlglotError as error:
        first_line = str(error).splitlines()[0]
        raise BadProblem(f"source.lags.{name}.sql: {lag.sql.strip()!r} is no SQL. {first_line}") from error
    if tree.find(exp.Window, exp.Query, exp.Subquery):
        raise BadProblem(f"source.lags.{name}.sql: {lag.sql.strip()!r} has a window or query of its own; remove it.")
    if not tree.find(exp.AggFunc):
        raise BadProblem(
            f"source.lags.{name}.sql: {lag.sql.strip()!r} is no aggregate; write one such as count(*) or sum(price)."
        )

    def over(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Filter | exp.AggFunc):
            return exp.Window(this=node.copy(), alias=exp.to_identifier(_window(name)))
        return node

    return tree.transform(over).sql(dialect="duckdb")


def _window(name: str) -> str:
    """Name the window of a lag."""
    return f"before_{name}"


def _frame(lag: Lag, event_at: str) -> str:
    """Write the window of a lag: rows of its key, from so long before the event to the gap, or to just before it."""
    latest = max(1, _microseconds(lag.gap or timedelta(0)))
    return (
        f'PARTITION BY "{lag.per}" ORDER BY epoch_us("{event_at}") '
        f"RANGE BETWEEN {_microseconds(lag.over)} PRECEDING AND {latest} PRECEDING"
    )


def _microseconds(period: timedelta) -> int:
    """Count the microseconds of a period."""
    return period // timedelta(microseconds=1)


def _require_columns(held: dict[str, ibis.DataType], query: str) -> None:
    """Refuse a query that names a column which is not there, before it is part of a larger one."""
    rows = ibis.schema(held).to_pyarrow().empty_table()
    with duckdb.connect() as own:
        own.register("events", rows)
        try:
            own.sql(query).fetchall()
        except duckdb.Error as error:
            first_line = str(error).strip().splitlines()[0]
            raise BadProblem(f"source.lags cannot be computed. {first_line} Columns are: {', '.join(held)}.") from error
