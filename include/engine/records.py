"""Turns the bytes of raw objects into records, one row each, without losing any: what is broken says why.

What belongs here: compression, lines, CSV and Parquet. What does not: what a record means (`fields.py`).
"""

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.names import LINE_NUMBER, OBJECT_KEY

# With an underscore, as no column of a problem may be called: a log may well have a field named record.
RECORD = "_record"  # the record as it stands in the object
DOCUMENT = "_document"  # the record as JSON text
FLAW = "_flaw"  # why the record could not be cut out of its object; null when it could

SCHEMA = pa.schema(
    [
        (OBJECT_KEY, pa.string()),
        (LINE_NUMBER, pa.int64()),
        (RECORD, pa.large_string()),
        (DOCUMENT, pa.large_string()),
        (FLAW, pa.string()),
    ]
)

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 16  # what is lost, at most, before the place where an object breaks
CUT_SHORT = "object cannot be read to its end"
NOT_UTF8 = "record is not UTF-8"
WRONG_WIDTH = "record has another number of fields than the header"


def read_records(key: str, content: bytes, log_format: str) -> pa.Table:
    """Cut one object into records.

    Args:
        key: the object's key.
        content: its bytes; gzip and zstd are recognised by their first bytes, whatever the name says.
        log_format: jsonl, csv or parquet.

    Returns:
        one row per record, with the columns of `SCHEMA`; an object that ends early has one row more, with that flaw.
    """
    readers: dict[str, Callable[[str, bytes], pa.Table]] = {"jsonl": _from_lines, "csv": _from_csv}
    if log_format == "parquet":
        return _from_parquet(key, content)
    content, is_whole = decompress(content)
    records = readers[log_format](key, content.removeprefix(b"\xef\xbb\xbf"))
    if is_whole:
        return records
    last = records[LINE_NUMBER][-1].as_py() if records.num_rows else 0
    return pa.concat_tables([records, _flawed(key, last + 1, "", CUT_SHORT)])


def decompress(content: bytes) -> tuple[bytes, bool]:
    """Return the bytes inside, as far as they can be read, and whether that was to the end."""
    if content.startswith(_GZIP):
        return _gunzip(content)
    if content.startswith(_ZSTD):
        return _read_all(pa.CompressedInputStream(pa.BufferReader(content), "zstd"))
    return content, True


def _gunzip(content: bytes) -> tuple[bytes, bool]:
    """Unpack gzip members one after the other; the library's own reader gives nothing of one that was cut."""
    chunks: list[bytes] = []
    rest = memoryview(content)
    while rest:
        member = zlib.decompressobj(wbits=31)  # 31: with gzip's header and checksum
        try:
            while rest and not member.eof:
                chunks.append(member.decompress(rest[:_CHUNK]))
                rest = rest[_CHUNK:]
        except zlib.error:
            return b"".join(chunks), False
        if not member.eof:
            return b"".join(chunks), False
        rest = memoryview(member.unused_data + rest)
    return b"".join(chunks), True


def _read_all(stream: Any) -> tuple[bytes, bool]:
    """Read a stream until it ends or breaks."""
    chunks: list[bytes] = []
    try:
        while chunk := stream.read(_CHUNK):
            chunks.append(chunk)
    except OSError:  # a producer that was killed, or a transfer that was cut
        return b"".join(chunks), False
    return b"".join(chunks), True


def _from_lines(key: str, content: bytes) -> pa.Table:
    """Cut JSON lines; blank lines are not records, but they count as lines."""
    is_broken: list[int] = []
    try:
        content.decode()
    except UnicodeDecodeError:
        is_broken = [i for i, line in enumerate(content.split(b"\n")) if not _is_utf8(line)]
        content = content.decode(errors="replace").encode()
    lines, numbers = _split_lines(content)
    flaws = pa.nulls(len(lines), pa.string())
    if is_broken:
        broken = {i + 1 for i in is_broken}
        flaws = pa.array([NOT_UTF8 if number in broken else None for number in numbers.tolist()], pa.string())
    return _table(key, pa.array(numbers, pa.int64()), lines, lines, flaws)


def _split_lines(content: bytes) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Cut at line feeds without copying, and number the lines from 1.

    Returns:
        the lines that are not blank, each with its line feed, and their numbers.
    """
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")) + 1
    if content and not content.endswith(b"\n"):
        ends = np.append(ends, len(content))
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    lines = pa.Array.from_buffers(pa.large_string(), len(ends), buffers)
    is_kept = np.ones(len(ends), bool)
    # Only a line of at most two bytes is worth the look: a blank one is "\n" or "\r\n".
    for i in np.flatnonzero(np.diff(offsets) <= 2):
        is_kept[i] = bool(content[offsets[i] : offsets[i + 1]].strip())
    numbers = np.flatnonzero(is_kept).astype(np.int64) + 1
    return (lines if is_kept.all() else lines.filter(pa.array(is_kept))), numbers


def _is_utf8(line: bytes) -> bool:
    """Say whether a line is readable text."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _from_csv(key: str, content: bytes) -> pa.Table:
    """Cut CSV with a header; an empty field is a missing one, and quotes may hold line breaks."""
    # Not splitlines(): it also cuts at form feeds and at U+2028, which a field may hold without quotes.
    lines = io.StringIO(content.decode(errors="replace"), newline="").readlines()
    csv.field_size_limit(2**31 - 1)  # the default of 128 kB is shorter than many a mail
    reader = csv.reader(lines)
    header = next(reader, [])
    rows: list[tuple[int, str, str | None, str | None]] = []
    start = reader.line_num
    for values in reader:
        text = "".join(lines[start : reader.line_num])
        if values:
            is_fitting = len(values) == len(header)
            fields = {name: value or None for name, value in zip(header, values, strict=False)}
            flaw = None if is_fitting else WRONG_WIDTH
            flaw = NOT_UTF8 if "\ufffd" in text else flaw
            rows.append((start + 1, text, json.dumps(fields) if flaw is None else None, flaw))
        start = reader.line_num
    numbers, texts, documents, flaws = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = [pa.array(texts, pa.large_string()), pa.array(documents, pa.large_string()), pa.array(flaws, pa.string())]
    return _table(key, pa.array(numbers, pa.int64()), *columns)


def _from_parquet(key: str, content: bytes) -> pa.Table:
    """Read Parquet rows as JSON text, times in ISO 8601, so that all formats are typed by the same rules."""
    try:
        rows = pq.read_table(pa.BufferReader(content)).to_pylist()
    except (pa.ArrowException, OSError):
        return _flawed(key, 1, "", CUT_SHORT)
    texts = pa.array([json.dumps(row, default=_as_text) for row in rows], pa.large_string())
    numbers = pa.array(range(1, len(rows) + 1), pa.int64())
    return _table(key, numbers, texts, texts, pa.nulls(len(rows), pa.string()))


def _as_text(value: Any) -> str:
    """Write what JSON has no form for: times in ISO 8601, the rest as Python shows it."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _flawed(key: str, line_number: int, text: str, flaw: str) -> pa.Table:
    """Make the one record that stands for what could not be read."""
    return _table(
        key,
        pa.array([line_number], pa.int64()),
        pa.array([text], pa.large_string()),
        pa.nulls(1, pa.large_string()),
        pa.array([flaw], pa.string()),
    )


def _table(key: str, numbers: pa.Array, records: pa.Array, documents: pa.Array, flaws: pa.Array) -> pa.Table:
    """Put columns together."""
    keys = pa.repeat(pa.scalar(key, pa.string()), len(numbers))
    return pa.table([keys, numbers, records, documents, flaws], schema=SCHEMA)


def join_records(tables: Iterable[pa.Table]) -> pa.Table:
    """Put the records of several objects into one table."""
    return pa.concat_tables([SCHEMA.empty_table(), *tables])
