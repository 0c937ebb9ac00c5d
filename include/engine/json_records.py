"""Cuts JSON out of an object: one object per line, or objects one after another, as Firehose delivers them."""

import json
import re
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from include.engine.lines import read_lines
from include.engine.records import (
    MAX_RECORD_BYTES,
    NOT_UTF8,
    SHOWN_BYTES,
    TOO_LONG,
    batch_of_rows,
    make_batch,
)
from include.engine.unpacking import Content

# Strings may hold raw control characters here; the engine decides later whether the text is JSON.
_DECODER = json.JSONDecoder(strict=False)
_NOT_BLANK = re.compile(r"[^ \t\r\n]")
# Behind what is broken, an object starts where one ended, or on a line of its own.
_NEXT_OBJECT = re.compile(r"\}[ \t\r\n]*(?=\{)|\n(?=\{)")
_LONGEST_TOKEN = 10  # "-Infinity", and one more: an error so close to the end may be a token that was cut
_BATCH_RECORDS = 10_000


def cut_json(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut an object at its lines, or at its objects where the first one does not end with its line."""
    yield from (_cut_objects if _is_unbroken(content.head) else _cut_lines)(key, content)


def _is_unbroken(head: bytes) -> bool:
    """Say whether objects follow each other without line breaks, or are spread over several lines."""
    text = head.decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n")
    try:
        _, end = _DECODER.raw_decode(text)
    except ValueError:
        return False  # broken from the start: by lines, less is lost
    return text.startswith("{") and ("\n" in text[:end] or text[end:].lstrip(" \t").startswith("{"))


def _cut_lines(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut at line feeds; blank lines are not records, but they count as lines."""
    for lines in read_lines(content, MAX_RECORD_BYTES):
        texts, flaws = lines.texts, pa.nulls(len(lines.texts), pa.string())
        documents = texts
        if lines.flaws:
            flaws = pa.array([lines.flaws.get(i) for i in range(len(texts))], pa.string())
            documents = pa.array(
                [None if i in lines.flaws else text for i, text in enumerate(texts.to_pylist())], pa.large_string()
            )
        yield make_batch(key, lines.numbers, lines.offsets, texts, documents, flaws, lines.n_keys)


def _cut_objects(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut where an object ends; what is no object is one flawed record, up to where the next object starts.

    Bytes are read as Latin-1 while cutting: one character each, and all that makes JSON's structure is ASCII.
    """
    rows: list[tuple[int, int | None, str, str | None, str | None]] = []
    text, offset, number = "", content.n_skipped_bytes, 1
    for piece in chain(content, [None]):
        text += "" if piece is None else piece.decode("latin-1")
        start = 0
        while (begin := _skip_blanks(text, start)) < len(text):
            end = _find_end(text, begin, is_last=piece is None)
            if end is None:
                break
            rows.append(_row(number, offset + begin, text[begin:end]))
            start, number = end, number + 1
            if len(rows) == _BATCH_RECORDS:
                yield batch_of_rows(key, rows)
                rows = []
        text, offset = text[begin:], offset + begin
    if rows:
        yield batch_of_rows(key, rows)


def _skip_blanks(text: str, start: int) -> int:
    """Find the next character that is not blank."""
    found = _NOT_BLANK.search(text, start)
    return found.start() if found else len(text)


def _find_end(text: str, begin: int, *, is_last: bool) -> int | None:
    """Find where the object that begins at `begin` ends; None when that cannot be said before more is read."""
    try:
        return _DECODER.raw_decode(text, begin)[1]
    except json.JSONDecodeError as error:
        is_cut = error.msg.startswith("Unterminated") or error.pos >= len(text) - _LONGEST_TOKEN
    except RecursionError:
        is_cut = False
    may_go_on = not is_last and len(text) - begin <= MAX_RECORD_BYTES
    if is_cut and may_go_on:
        return None
    following = _NEXT_OBJECT.search(text, begin + 1)
    if following is None and may_go_on:
        return None
    return following.end() if following else len(text)


def _row(number: int, offset: int, text: str) -> tuple[int, int, str, str | None, str | None]:
    """Write one record as a row."""
    if len(text) > MAX_RECORD_BYTES:
        shown = text[:SHOWN_BYTES].encode("latin-1").decode(errors="replace")
        return number, offset, shown, None, TOO_LONG
    content = text.encode("latin-1")
    try:
        record = content.decode()
    except UnicodeDecodeError:
        return number, offset, content.decode(errors="replace"), None, NOT_UTF8
    return number, offset, record, record, None
