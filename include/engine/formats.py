"""Turns the bytes of one raw object into records, one row each, without losing any: what is broken says why.

A pure generator over a stream: memory is bounded by a few batches, whatever the object's size. What belongs here: which
reader reads what. What does not: what a record means (`fields.py`).
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from include.engine import access_log_records, csv_records, json_records, parquet_records
from include.engine.records import flawed
from include.engine.unpacking import IS_EMPTY, Content
from include.names import BYTE_OFFSET, LINE_NUMBER

_CUTTERS = {
    "jsonl": json_records.cut_json,
    "csv": csv_records.cut_csv,
    "access_log": access_log_records.cut_lines,
}


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
    if log_format == "parquet":
        yield from parquet_records.read_rows(key, stream)
        return
    content = Content(stream)
    line_number, offset = 1, 0
    for batch in _CUTTERS[log_format](key, content):
        if batch.num_rows:
            line_number = batch[LINE_NUMBER][-1].as_py() + 1
            offset = batch[BYTE_OFFSET][-1].as_py()
            yield batch
    if content.flaw not in {None, IS_EMPTY}:
        yield flawed(key, line_number, offset, "", str(content.flaw))
