"""Asks about rows in DuckDB's SQL, whatever engine holds them: what is written in it means one thing.

For what reads each row by itself: JSON, and the predicates of problem files. On DuckDB the query becomes part of the
larger one; on Spark each batch of rows is asked in the worker that holds it, so a query that looks from one row at
another would be answered wrongly there.
"""

from collections.abc import Mapping

import ibis
import pyarrow as pa
from ibis.expr.operations import SQLStringView

from include.engine.duckdb_functions import ROWS, RowsFunction, ask
from include.engine.session import is_spark


def select(rows: ibis.Table, query: str, columns: Mapping[str, str], *, is_adding: bool = True) -> ibis.Table:
    """Ask about each row.

    Args:
        query: DuckDB's SQL, from `{rows}`; about each row by itself.
        columns: what it adds to the columns of `rows`, or gives in their place, each with its type. Ibis's own `sql`
            would ask the engine, which for a chain of questions takes longer than answering them for a small partition.
        is_adding: whether the query keeps the columns of `rows`.
    """
    held = dict(rows.schema().items()) if is_adding else {}
    schema = ibis.schema({**held, **columns})
    engine = rows.get_backend()
    if is_spark(engine):
        asked = RowsFunction(query.replace("{rows}", ROWS), schema.to_pyarrow())
        return engine.map_batches(rows, asked, schema)
    alias = ibis.util.gen_name("asked")
    return SQLStringView(parent=rows.alias(alias).op(), query=query.replace("{rows}", alias), schema=schema).to_expr()


def quote_text(text: str) -> str:
    """Write a text in SQL; what `select` would take for the place of the rows is written in two halves."""
    return "'" + text.replace("'", "''").replace("{rows}", "{' || 'rows}") + "'"


def quote_name(name: str) -> str:
    """Write the name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def describe(rows: ibis.Table, query: str) -> pa.Schema:
    """Say which columns a query would give, without asking it of a row.

    Raises:
        duckdb.Error: it is not SQL, or not about these columns.
    """
    return ask(query.replace("{rows}", ROWS), rows.schema().to_pyarrow().empty_table()).schema


def text_literal(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"
