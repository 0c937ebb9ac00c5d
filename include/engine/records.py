"""Turns the bytes of one raw object into records, one row each, without losing any: what is broken says why.

A pure generator over a stream: memory is bounded by a few batches, whatever the object's size. What belongs here: which
reader reads what, and the rows they share. What does not: what a record means (`fields.py`).
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from include.engine.unpacking import IS_EMPTY, Content
from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY

# With an underscore, as no column of a problem may be called: a log may well have a field named record.
RECORD = "_record"  # the record as it stands in the object
DOCUMENT = "_document"  # the record as JSON text; null where it has a flaw
FLAW = "_flaw"  # why the record could not be cut out of its object; null when it could

SCHEMA = pa.schema(
    [
        (OBJECT_KEY, pa.string()),
        (LINE_NUMBER, pa.int64()),
        (BYTE_OFFSET, pa.int64()),
        (RECORD, pa.large_string()),
        (DOCUMENT, pa.large_string()),
        (FLAW, pa.string()),
    ]
)

MAX_RECORD_BYTES = 64 << 20
SHOWN_BYTES = 1_000  # of a record that is too long to be kept
NOT_UTF8 = "record is not UTF-8"
TOO_LONG = f"record is longer than {MAX_RECORD_BYTES >> 20} MiB"


def read_records(key: str, stream: BinaryIO, log_format: str) -> Iterator[pa.RecordBatch]:
    """Cut one object into records.

    Args:
        key: the object's key.
        stream: its bytes as they are stored; for Parquet it can seek.
        log_format: jsonl, csv, parquet or access_log.

    Yields:
        one row per record, with the columns of `SCHEMA`, in the object's order: `_line_number` counts lines from 1
        (for Parquet and for JSON objects without line breaks: records), `_byte_offset` is where the record starts in
        the unpacked bytes, null for Parquet. An object that breaks off, or is something else than
        `log_format`, has one row more at its end, with that flaw; an empty one has none.
    """
    from include.engine import access_log_records, csv_records, json_records, parquet_records

    if log_format == "parquet":
        yield from parquet_records.read_rows(key, stream)
        return
    content = Content(stream)
    cutters = {
        "jsonl": json_records.cut_json,
        "csv": csv_records.cut_csv,
        "access_log": access_log_records.cut_lines,
    }
    line_number, offset = 1, 0
    for batch in cutters[log_format](key, content):
        if batch.num_rows:
            line_number = batch[LINE_NUMBER][-1].as_py() + 1
            offset = batch[BYTE_OFFSET][-1].as_py()
            yield batch
    if content.flaw not in {None, IS_EMPTY}:
        yield flawed(key, line_number, offset, "", str(content.flaw))


def make_batch(
    key: str,
    numbers: Sequence[int] | np.ndarray,
    offsets: Sequence[int] | np.ndarray,
    records: pa.Array,
    documents: pa.Array,
    flaws: pa.Array,
) -> pa.RecordBatch:
    """Put the columns of some records of one object together."""
    keys = pa.repeat(pa.scalar(key, pa.string()), len(records))
    columns = [keys, pa.array(numbers, pa.int64()), pa.array(offsets, pa.int64()), records, documents, flaws]
    return pa.record_batch(columns, schema=SCHEMA)


def batch_of_rows(key: str, rows: Sequence[tuple[int, int | None, str, str | None, str | None]]) -> pa.RecordBatch:
    """Make a batch of rows: line number, byte offset, record, document, flaw."""
    numbers, offsets, records, documents, flaws = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    kept, read = pa.array(records, pa.large_string()), pa.array(documents, pa.large_string())
    return make_batch(key, numbers, offsets, kept, read, pa.array(flaws, pa.string()))


def flawed(key: str, line_number: int, offset: int | None, text: str, flaw: str) -> pa.RecordBatch:
    """Make the one record that stands for what could not be read."""
    return batch_of_rows(key, [(line_number, offset, text, None, flaw)])
