"""Asks the embedded engine about Arrow rows, in whatever process asks: Spark's workers ask it what a text means.

Two engines read JSON, patterns, times and numbers in two ways. Whatever is a question of reading has one answer here.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import duckdb
import pyarrow as pa

ROWS = "rows"
VALUE = "value"


def ask(query: str, rows: pa.Table) -> pa.Table:
    """Answer a query about rows, in their order.

    Args:
        query: DuckDB's SQL; it reads from `rows`.
        rows: with the columns that the query names.
    """
    connection = _connection(os.getpid())
    connection.register(ROWS, rows)
    try:
        return connection.sql(query).to_arrow_table()
    finally:
        connection.unregister(ROWS)


def column_function(query: str, names: Sequence[str]) -> Callable[..., pa.Array]:
    """Make a function of columns, as Spark wants one; it travels to Spark's workers by the text of its query.

    Args:
        query: selects `value` from `rows`.
        names: of the columns of `rows`.
    """

    def compute(*columns: pa.Array) -> pa.Array:
        return ask(query, pa.table(dict(zip(names, columns, strict=True))))[VALUE].combine_chunks()

    return compute


class RowsFunction:
    """A query that travels to Spark's workers, and is asked there of one batch after the other.

    Attributes:
        query: DuckDB's SQL, from `rows`, about each row by itself.
        schema: of the answer.
    """

    def __init__(self, query: str, schema: pa.Schema) -> None:
        self.query, self.schema = query, schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Answer it."""
        for batch in batches:
            answer = ask(self.query, pa.Table.from_batches([batch])).select(self.schema.names)
            yield from answer.cast(self.schema).to_batches()


# By process id: a forked worker must not share its parent's engine, whose threads did not survive the fork.
@lru_cache(maxsize=2)
def _connection(_process: int) -> duckdb.DuckDBPyConnection:
    """Start DuckDB in memory with one thread: Spark gives each core a worker of its own."""
    connection = duckdb.connect(
        config={"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection
