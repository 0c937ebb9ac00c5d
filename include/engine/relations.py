"""Turns files and Arrow tables into rows of the engine."""

from collections.abc import Sequence
from typing import Any

import ibis
import pyarrow as pa


def relation_of_files(engine: Any, paths: Sequence[str], schema: pa.Schema) -> ibis.Table:
    """Open Parquet files on disk as one relation with exactly the columns of `schema`.

    Args:
        paths: absolute paths; none gives an empty relation.
        schema: the columns to give, in this order; what a file does not have is null, what it has more is left out.
    """
    if not paths:
        return relation_of_arrow(engine, schema.empty_table())
    # Folders of the lake are named after partitions; without this DuckDB would read a column out of their names.
    rows = engine.read_parquet(list(paths), union_by_name=True, hive_partitioning=False)
    return fit_columns(rows, schema)


def relation_of_arrow(engine: Any, rows: Any) -> ibis.Table:
    """Open an Arrow table, or a dataset of files on an object store, as a relation."""
    name = ibis.util.gen_name("arrow_rows")
    engine.con.register(name, rows)
    return engine.table(name)


def fit_columns(rows: ibis.Table, schema: pa.Schema) -> ibis.Table:
    """Give `rows` the columns of `schema`: missing ones are null, others are cast only where their type differs."""
    wanted = ibis.Schema.from_pyarrow(schema)
    held = rows.schema()
    columns = {}
    for name, kind in wanted.items():
        if name not in held:
            columns[name] = ibis.null(kind)
        else:
            columns[name] = rows[name] if held[name] == kind else rows[name].cast(kind)
    return rows.select(**columns)
