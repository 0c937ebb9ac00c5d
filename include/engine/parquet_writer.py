"""Writes the engine's rows to Parquet files, as they come: what is written is never held as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ibis

from include.engine.duckdb_sql import text_literal
from include.engine.parquet_file import ROW_GROUP_ROWS
from include.engine.spark.tasks import PartitionWriter, Save, SavePartition, Writer
from include.names import PARTITION_KEY

_OPTIONS = ", ".join(
    [
        "FORMAT parquet",
        # Left to itself, DuckDB gives the order up where a plan holds a join, and a long IN is one.
        "PRESERVE_ORDER true",
        "COMPRESSION zstd",
        "COMPRESSION_LEVEL 1",  # the next ones take a tenth longer for files that are hardly smaller
        f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}",
        # A dictionary of more words than this saves less than looking for it costs.
        "DICTIONARY_SIZE_LIMIT 1000",
        "PARQUET_VERSION v2",
    ]
)


def write_rows(engine: ibis.BaseBackend, rows: ibis.Table | str, path: Path) -> int:
    """Write rows to one Parquet file, in their order: the same rows give the same bytes.

    Args:
        rows: or the SQL that gives them.

    Returns:
        how many were written.
    """
    with _computing_once(engine):
        return _copy(engine, rows if isinstance(rows, str) else str(ibis.to_sql(rows, dialect="duckdb")), path)


def count_by_partition(engine: ibis.BaseBackend, path: Path) -> dict[str, int]:
    """Count the rows of each partition in a Parquet file on disk, by `_partition_key`."""
    query = f"SELECT {PARTITION_KEY}, count(*) FROM {_file(path)} GROUP BY ALL ORDER BY ALL"
    return dict(engine.con.execute(query).fetchall())


def write_partition(engine: ibis.BaseBackend, source: Path, partition_key: str, path: Path) -> int:
    """Write the rows that a Parquet file on disk has of one partition, in their order.

    Returns:
        how many were written.
    """
    return _copy(engine, f"SELECT * FROM {_file(source)} WHERE {PARTITION_KEY} = {text_literal(partition_key)}", path)


def copy_rows(engine: ibis.BaseBackend, source: Path, path: Path) -> None:
    """Write the rows of a Parquet file on disk to another, in their order.

    The bytes hang on the rows alone: of rows that come from a query, DuckDB writes a column without nulls in another
    way when others beside them in its vector had some.
    """
    _copy(engine, f"SELECT * FROM {_file(source)}", path)


def _copy(engine: ibis.BaseBackend, query: str, path: Path) -> int:
    """Write a query's rows to one file."""
    return int(engine.con.execute(f"COPY ({query}) TO {text_literal(str(path))} ({_OPTIONS})").fetchall()[0][0])


def _file(path: Path) -> str:
    """Write a file as DuckDB reads one; a folder named after a partition must not add a column."""
    return f"read_parquet({text_literal(str(path))}, hive_partitioning = false)"


def write_parts(
    engine: ibis.BaseBackend, rows: ibis.Table, save: Save, order: Sequence[str] = ()
) -> list[tuple[str, int]]:
    """Let Spark's workers write rows, each what it holds; no more files than tasks that run at once.

    Args:
        save: writes batches of a schema as one file, on the worker.
        order: columns by which each of them puts its rows in order.

    Returns:
        of each file that has rows its path, and how many.
    """
    frame = engine.to_spark(rows).coalesce(engine.session.sparkContext.defaultParallelism)
    if order:
        frame = frame.sortWithinPartitions(*order)
    written = engine.map_frame(
        frame, Writer(save, rows.schema().to_pyarrow()), ibis.Schema.from_pyarrow(Writer.WRITTEN)
    )
    return [(row["path"], row["n_rows"]) for row in written.to_pyarrow().to_pylist()]


def write_partition_parts(
    engine: ibis.BaseBackend, rows: ibis.Table, save: SavePartition, n_partitions: int, order: Sequence[str]
) -> dict[str, list[tuple[str, int]]]:
    """Let Spark's workers write the rows of several partitions, each partition as one file of one worker.

    Args:
        rows: with `_partition_key`.
        save: writes batches of a partition as one file, on the worker.
        n_partitions: that there are at most.
        order: columns by which the rows of a file are put in order.

    Returns:
        partition to the path of its file, and how many rows that has; none for a partition without rows.
    """
    n_tasks = min(n_partitions, engine.session.sparkContext.defaultParallelism)
    frame = engine.to_spark(rows).repartition(n_tasks, PARTITION_KEY)
    writer = PartitionWriter(save, rows.schema().to_pyarrow())
    written = engine.map_frame(
        frame.sortWithinPartitions(PARTITION_KEY, *order), writer, ibis.Schema.from_pyarrow(PartitionWriter.WRITTEN)
    )
    return {row["partition_key"]: [(row["path"], row["n_rows"])] for row in written.to_pyarrow().to_pylist()}


@contextmanager
def _computing_once(engine: ibis.BaseBackend) -> Iterator[None]:
    """Keep DuckDB from moving filters below the columns they ask about: it would compute each of those twice."""
    engine.con.execute("SET disabled_optimizers = 'filter_pushdown'")
    try:
        yield
    finally:
        engine.con.execute("SET disabled_optimizers = ''")
