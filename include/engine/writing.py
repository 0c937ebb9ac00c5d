"""Writes the engine's rows to Parquet files, as they come: what is written is never held as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis

from include.engine.parquet_files import ROW_GROUP_ROWS
from include.engine.spark_tasks import Save, Writer

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


def write_rows(engine: Any, rows: ibis.Table, path: Path) -> int:
    """Write rows to one Parquet file, in their order: the same rows give the same bytes.

    Returns:
        how many were written.
    """
    target = str(path).replace("'", "''")
    with _computing_once(engine):
        written = engine.con.execute(f"COPY ({ibis.to_sql(rows, dialect='duckdb')}) TO '{target}' ({_OPTIONS})")
        return int(written.fetchall()[0][0])


def write_parts(engine: Any, rows: ibis.Table, save: Save, order: Sequence[str] = ()) -> list[tuple[str, int]]:
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


@contextmanager
def _computing_once(engine: Any) -> Iterator[None]:
    """Keep DuckDB from moving filters below the columns they ask about: it would compute each of those twice."""
    engine.con.execute("SET disabled_optimizers = 'filter_pushdown'")
    try:
        yield
    finally:
        engine.con.execute("SET disabled_optimizers = ''")
