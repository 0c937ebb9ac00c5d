"""Tells by an object's content which format its records are in, where the problem's file says `format: auto`.

What belongs here: telling. What does not: reading (`read_records.py`), and how an object is packed
(`decompression.py`).
"""

import csv
from collections.abc import Collection
from contextlib import suppress
from typing import BinaryIO

from include.engine.formats import access_log_records, extended_log_lines
from include.engine.formats.decompression import BYTE_ORDER_MARK, Content
from include.engine.formats.json_records import is_array

AUTO = "auto"
# What stands between the fields of each kind of CSV, by the name of the kind.
CSV_SEPARATORS = {"csv": ",", "csv_semicolon": ";", "csv_tab": "\t", "csv_bar": "|"}
_PARQUET = b"PAR1"
_HEAD_BYTES = 1 << 16
_N_LINES = 20


def recognise_format(stream: BinaryIO, declared: Collection[str] | None = None) -> str:
    """Say which format the records of an object are in, and leave the stream where it began.

    Args:
        stream: the object's bytes as they are stored; it can seek.
        declared: the columns of the problem's file; a header that names one of them says what separates its fields.

    Returns:
        one of the formats of `read_records`; csv for what is none of the others: what is wrong with it is said there.
    """
    start = stream.read(len(_PARQUET))
    stream.seek(0)
    if start == _PARQUET:
        return "parquet"
    head = Content(stream, piece_bytes=_HEAD_BYTES, head_bytes=_HEAD_BYTES).head
    stream.seek(0)
    return recognise_text(head, declared)


def recognise_text(head: bytes, declared: Collection[str] | None = None) -> str:
    """Say which format a text is in, by its first bytes, unpacked.

    Returns:
        jsonl, json_array, access_log, or one of `CSV_SEPARATORS`.
    """
    text = head.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace").lstrip()
    if text.startswith("{"):
        return "jsonl"
    if is_array(text):
        return "json_array"
    lines = [line for line in text.splitlines()[:_N_LINES] if line.strip()]
    if any(_is_request(line) for line in lines):
        return "access_log"
    return _recognise_csv(lines, declared)


def _is_request(line: str) -> bool:
    """Say whether a line is of an access log, or names the columns of one."""
    return extended_log_lines.read_fields(line) is not None or access_log_records.read_line(line)[1] is None


def _recognise_csv(lines: list[str], declared: Collection[str] | None) -> str:
    """Choose the separator by which the header has most of the declared columns, then the one that fits most rows."""
    if lines and lines[0].strip('" ').startswith("sep="):
        mark = lines[0].strip('" ')[4:5] or "\t"
        return next((kind for kind, separator in CSV_SEPARATORS.items() if separator == mark), "csv")
    best, most = "csv", (0, 0, 0)
    for kind, separator in CSV_SEPARATORS.items():
        rows = [row for row in (_split(line, separator) for line in lines) if row]
        if not rows or len(rows[0]) < 2:
            continue
        n_declared = len({name.strip() for name in rows[0]} & set(declared or ()))
        fit = (n_declared, sum(len(row) == len(rows[0]) for row in rows), len(rows[0]))
        if fit > most:
            best, most = kind, fit
    return best


def _split(line: str, separator: str) -> list[str]:
    """Read one line as fields; none of one that has a quote which ends elsewhere."""
    with suppress(csv.Error):
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    return []
