"""Turns files and Arrow tables into rows of the engine."""

from collections.abc import Sequence

import ibis
import pyarrow as pa

from include.engine.formats.object_records import OF_THE_OBJECT, Records
from include.engine.formats.record_batches import FLAW, SCHEMA
from include.engine.session import is_spark
from include.names import OBJECT_KEY
from include.settings import read_settings


def relation_of_files(engine: ibis.BaseBackend, paths: Sequence[str], schema: pa.Schema) -> ibis.Table:
    """Open Parquet files on disk as one relation with exactly the columns of `schema`.

    Args:
        paths: absolute paths; none gives an empty relation.
        schema: the columns to give, in this order; what a file does not have is null, what it has more is left out.
    """
    if not paths:
        return relation_of_arrow(engine, schema.empty_table())
    if is_spark(engine):
        from include.engine.spark import rows as spark_rows

        return spark_rows.relation_of_files(engine, paths, schema)
    # Folders of the lake are named after partitions; without this DuckDB would read a column out of their names.
    rows = engine.read_parquet(list(paths), union_by_name=True, hive_partitioning=False)
    return fit_columns(rows, schema)


def relation_of_arrow(engine: ibis.BaseBackend, rows: object, name: str | None = None) -> ibis.Table:
    """Open an Arrow table, or a dataset of files on an object store, as a relation.

    Args:
        name: as of `relation_of_records`.
    """
    if is_spark(engine):
        from include.engine.spark import rows as spark_rows

        return spark_rows.relation_of_arrow(engine, rows)
    name = name or ibis.util.gen_name("arrow_rows")
    engine.con.register(name, rows)
    return engine.table(name)


def relation_of_records(engine: ibis.BaseBackend, records: Records, name: str | None = None) -> ibis.Table:
    """Open records as a relation with the columns of `records.SCHEMA`.

    Args:
        name: that queries know it by on DuckDB, where others may take its place later; one of its own when None.
    """
    if is_spark(engine):
        from include.engine.spark import rows as spark_rows
        from include.engine.spark.tasks import ObjectReader

        settings = read_settings()
        tasks = [ObjectReader(records, item, settings) for item in records.objects]
        return spark_rows.relation_of_tasks(engine, tasks, SCHEMA)
    return relation_of_arrow(engine, records, name)


def count_records(engine: ibis.BaseBackend, records: Records) -> None:
    """Bring `records.n_records` and `records.flaws` up to date, after they were gone through at least once.

    Where the records passed through this process they were counted as they did; Spark's workers are asked.
    """
    if not is_spark(engine):
        return
    rows = relation_of_records(engine, records)
    is_of_object = rows[FLAW].startswith(OF_THE_OBJECT).fill_null(False)
    groups = rows.group_by(OBJECT_KEY).aggregate(n_rows=rows.count(), flaw=rows[FLAW].max(where=is_of_object))
    records.n_records.clear()
    for row in groups.to_pyarrow().to_pylist():
        records.n_records[row[OBJECT_KEY]] = row["n_rows"]
        if row["flaw"] is not None:
            records.flaws[row[OBJECT_KEY]] = row["flaw"]


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
