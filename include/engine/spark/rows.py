"""Turns files, Arrow tables and whatever Python can read into rows of Spark."""

from collections import defaultdict
from collections.abc import Sequence

import ibis
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from include.engine.spark.tasks import Fragment, Runner, Task


def relation_of_files(engine: ibis.BaseBackend, paths: Sequence[str], schema: pa.Schema) -> ibis.Table:
    """Open Parquet files that every worker sees; Spark skips the columns and row groups that nobody asks for."""
    from pyspark.sql import functions as f

    from include.engine.spark.backend import spark_schema

    # Spark reads files of one schema at a time: a column that changed from whole numbers to doubles has two.
    alike: dict[pa.Schema, list[str]] = defaultdict(list)
    for path in paths:
        held = pq.read_schema(path).remove_metadata()
        alike[pa.schema([held.field(name) for name in schema.names if name in held.names])].append(path)
    frames = []
    for held, same in alike.items():
        rows = engine.session.read.schema(spark_schema(held)).parquet(*same)
        columns = [
            (f.col(f"`{name}`") if name in held.names else f.lit(None)).cast(kind.dataType).alias(name)
            for name, kind in zip(schema.names, spark_schema(schema), strict=True)
        ]
        frames.append(rows.select(*columns))
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionAll(frame)
    return engine.relation(whole, ibis.Schema.from_pyarrow(schema))


def relation_of_arrow(engine: ibis.BaseBackend, rows: object) -> ibis.Table:
    """Hand rows to Spark: those of a table are sent, those of a dataset are read by the workers, a fragment a task."""
    if isinstance(rows, pyarrow.dataset.Dataset):
        schema = rows.schema
        return relation_of_tasks(engine, [Fragment(item, schema) for item in rows.get_fragments()], schema)
    from include.engine.spark.backend import spark_schema

    table = pa.table(rows)
    frame = engine.session.createDataFrame(table, schema=spark_schema(table.schema))
    return engine.relation(frame, ibis.Schema.from_pyarrow(table.schema))


def relation_of_tasks(engine: ibis.BaseBackend, tasks: Sequence[Task], schema: pa.Schema) -> ibis.Table:
    """Open what tasks read as one relation; each query runs them anew, each on one worker.

    Args:
        tasks: each gives batches with the columns of `schema`; they travel to the workers.
    """
    numbers = engine.session.range(len(tasks), numPartitions=max(len(tasks), 1))
    return engine.map_frame(numbers, Runner(tasks), ibis.Schema.from_pyarrow(schema))
