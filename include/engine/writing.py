"""Writes the engine's rows to a Parquet file on disk, as they come: what is written is never held as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis

# Rows of a group: wide text at 10 kB a row stays under 700 MB; narrow ones still scan at full speed.
ROW_GROUP_ROWS = 65_536
_OPTIONS = ", ".join(
    [
        "FORMAT parquet",
        # Left to itself, DuckDB gives the order up where a plan holds a join, and a long IN is one.
        "PRESERVE_ORDER true",
        "COMPRESSION zstd",
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


@contextmanager
def _computing_once(engine: Any) -> Iterator[None]:
    """Keep DuckDB from moving filters below the columns they ask about: it would compute each of those twice."""
    engine.con.execute("SET disabled_optimizers = 'filter_pushdown'")
    try:
        yield
    finally:
        engine.con.execute("SET disabled_optimizers = ''")
