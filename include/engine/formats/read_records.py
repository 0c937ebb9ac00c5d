"""Turns the bytes of one raw object into records, one row each, without losing any: what is broken says why.

A pure generator over a stream: memory is bounded by a few batches, whatever the object's size. What belongs here: which
reader reads what. What does not: what a record means (`formats/field_extraction.py`).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

import pyarrow as pa

from include.engine.formats import access_log_records, csv_records, json_records, parquet_records
from include.engine.formats.decompression import IS_EMPTY, Content
from include.engine.formats.fields import Wanted
from include.engine.formats.format_recognition import AUTO, CSV_SEPARATORS, recognise_format
from include.engine.formats.record_batches import flawed
from include.names import BYTE_OFFSET, LINE_NUMBER

_CUTTERS: dict[str, Callable[[str, Content, Wanted | None], Iterator[pa.RecordBatch]]] = {
    "jsonl": json_records.cut_json,
    "json_array": json_records.cut_array,
    **{name: partial(csv_records.cut_csv, separator=separator) for name, separator in CSV_SEPARATORS.items()},
    "access_log": lambda key, content, _: access_log_records.cut_lines(key, content),
}


def read_records(key: str, stream: BinaryIO, log_format: str, wanted: Wanted | None = None) -> Iterator[pa.RecordBatch]:
    """Cut one object into records.

    Args:
        key: the object's key.
        stream: its bytes as they are stored; for Parquet, and for auto, it can seek.
        log_format: jsonl, csv, parquet or access_log; auto, recognised by the content; or one of the others that
            `recognise_format` tells.
        wanted: what is read out of it; None for all fields.

    Yields:
        one row per record, with the columns of `SCHEMA`, in the object's order: `_line_number` counts lines from 1
        (for Parquet and for JSON objects without line breaks: records), `_byte_offset` is where the record starts in
        the unpacked bytes, null for Parquet. An object that breaks off, or is something else than
        `log_format`, has one row more at its end, with that flaw; an empty one has none.
    """
    if log_format == AUTO:
        log_format = recognise_format(stream, wanted.names if wanted else None)
    if log_format == "parquet":
        yield from parquet_records.read_rows(key, stream, wanted)
        return
    content = Content(stream)
    line_number, offset = 1, 0
    for batch in _CUTTERS[log_format](key, content, wanted):
        if batch.num_rows:
            line_number = batch[LINE_NUMBER][-1].as_py() + 1
            offset = batch[BYTE_OFFSET][-1].as_py()
            yield batch
    if content.flaw not in {None, IS_EMPTY}:
        yield flawed(key, line_number, offset, "", str(content.flaw))
