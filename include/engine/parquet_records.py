"""Reads Parquet rows as JSON text, times in ISO 8601, so that all formats are typed by the same rules."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from include.engine.records import batch_of_rows, flawed
from include.engine.unpacking import CUT_SHORT

NOT_PARQUET = "object is not Parquet, and the problem's file says parquet"
_BATCH_RECORDS = 4_096  # wide rows of text at 10 kB each stay under 50 MB


def read_rows(key: str, stream: BinaryIO) -> Iterator[pa.RecordBatch]:
    """Give the rows of one Parquet object, row group by row group; one that breaks off ends with a flawed record."""
    number = 1
    first = stream.read(4)
    if first != b"PAR1":
        if first:
            yield flawed(key, 1, None, "", NOT_PARQUET)
        return
    stream.seek(0)
    try:
        for batch in pq.ParquetFile(stream).iter_batches(_BATCH_RECORDS):
            texts = [json.dumps(row, default=_as_text) for row in batch.to_pylist()]
            rows = [(number + i, None, text, text, None) for i, text in enumerate(texts)]
            number += len(rows)
            yield batch_of_rows(key, rows)
    except (pa.ArrowException, OSError):
        yield flawed(key, number, None, "", CUT_SHORT)


def _as_text(value: Any) -> str:
    """Write what JSON has no form for: times in ISO 8601, the rest as Python shows it."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
