"""Cuts JSON out of an object: one object per line, or objects one after another, as Firehose delivers them."""

import json
import re
from collections.abc import Collection, Iterator
from itertools import chain

import numpy as np
import pyarrow as pa

from include.engine.formats.byte_lines import Bytes, read_lines
from include.engine.formats.decompression import Content
from include.engine.formats.fields import Wanted
from include.engine.formats.record_batches import (
    MAX_RECORD_BYTES,
    NOT_JSON,
    NOT_UTF8,
    SHOWN_BYTES,
    TOO_LONG,
    batch_of_rows,
    make_batch,
)

IS_ARRAY = (
    "object is a JSON array, and the problem's file says jsonl: one object a line, or one after the other; with "
    "format: auto it is read"
)
ENDS_IN_ARRAY = "object ends inside of its array"
NO_FIELD = "object begins with records that have none of the columns of the problem's file"

# Strings may hold raw control characters here; the engine decides later whether the text is JSON.
_DECODER = json.JSONDecoder(strict=False)
# Between objects may be blanks, and the byte order marks (as Latin-1) of files that were put together.
_BETWEEN = re.compile(r"(?:[ \t\r\n]|\xef\xbb\xbf)*")
# Behind what is broken, an object starts where one ended, or on a line of its own.
_NEXT_OBJECT = re.compile(r"\}[ \t\r\n]*(?=\{)|\n(?=\{)")
# The same of items of an array: brackets and commas stand between them.
_BETWEEN_ITEMS = re.compile(r"(?:[ \t\r\n,\[\]]|\xef\xbb\xbf)*")
_NEXT_ITEM = re.compile(r"\}[ \t\r\n]*,?[ \t\r\n]*(?=\{)|\n[ \t]*(?=\{)")
# What opens or closes something, outside of strings; a string that does not end is found as its quote.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]"]', re.DOTALL)
# The engine takes a comma before a closing bracket, and JSON does not: what nobody else reads is not published.
_COMMA_AT_END = re.compile(rb",\s*+[\]}]")
# Before the first object; in an array its bracket, too.
_FRONT = re.compile(r"[ \t\r\n\ufeff\[]*")
_LONGEST_TOKEN = 10  # "-Infinity", and one more: an error so close to the end may be a token that was cut
_BATCH_RECORDS = 10_000


def cut_json(key: str, content: Content, wanted: Wanted | None = None) -> Iterator[pa.RecordBatch]:
    """Cut an object at its lines, or at its objects where the first one does not end with its line.

    Args:
        wanted: what is read out of it: an object that begins with records which have all of it under other names is
            told so, once, at its end.
    """
    head = _BETWEEN.sub("", content.head.decode("latin-1"), 1)
    if is_array(head):
        content.flaw = IS_ARRAY
        return
    yield from (_cut_objects if _is_unbroken(head) else _cut_lines)(key, content)
    content.flaw = content.flaw or (_explain_names(content.head, wanted) if wanted else None)


def cut_array(key: str, content: Content, wanted: Wanted | None = None) -> Iterator[pa.RecordBatch]:
    """Cut an array that holds all records at its items; one that is no object is one flawed record."""
    yield from _cut_objects(key, content, is_array=True)
    content.flaw = content.flaw or (_explain_names(content.head, wanted) if wanted else None)


def _explain_names(head: bytes, wanted: Wanted) -> str | None:
    """Say which names the first record of an object has for what is wanted, where it has nothing under its own name."""
    text = _FRONT.sub("", head.decode(errors="replace"), 1)
    try:
        first, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict) or not wanted.names.isdisjoint(first):
        return None
    proposed = wanted.propose(list(first))
    is_elsewhere = any(f'"{name}"' in text for name in wanted.names)
    return None if is_elsewhere or not proposed else f"{NO_FIELD}{proposed}"


def is_array(head: str) -> bool:
    """Say whether all records lie in one array, told by how its first lines start and end.

    A line that is an array by itself among others is one broken record, and no more.

    Args:
        head: how the object starts, without blanks and byte order marks in front.
    """
    if not re.match(r"\[\s*(\{|$)", head):
        return False
    first, _, more = head.partition("\n")
    first, more = first.rstrip(), more.lstrip()
    return not more or first[-1:] in {"[", ",", "{"} or more[:1] in {",", "]"}


def _is_unbroken(head: str) -> bool:
    """Say whether objects follow each other without line breaks, or are spread over several lines."""
    end = _end_of(head, 0)
    return head.startswith("{") and end is not None and ("\n" in head[:end] or head[end:].lstrip(" \t\r")[:1] == "{")


def _end_of(text: str, begin: int) -> int | None:
    """Find where the JSON that begins at `begin` ends; None where it is broken, or breaks off."""
    try:
        return _DECODER.raw_decode(text, begin)[1]
    except ValueError:
        return None
    except RecursionError:
        return _end_of_deep(text, begin)


def _end_of_deep(text: str, begin: int) -> int | None:
    """Find where JSON ends that is nested too deep to be read by recursion, by its brackets alone."""
    depth = 0
    for found in _BRACKET.finditer(text, begin):
        bracket = found[0]
        if bracket == '"':
            return None
        depth += (bracket in "{[") - (bracket in "}]")
        if depth == 0:
            return found.end()
    return None


def _cut_lines(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut at line ends; blank lines are not records, but they count as lines."""
    for lines in read_lines(content, MAX_RECORD_BYTES):
        texts, flaws = lines.texts, pa.nulls(len(lines.texts), pa.string())
        documents = texts
        named = {**lines.flaws, **_find_commas(texts, lines.flaws)}
        if named:
            flaws = pa.array([named.get(i) for i in range(len(texts))], pa.string())
            documents = pa.array(
                [None if i in named else text for i, text in enumerate(texts.to_pylist())], pa.large_string()
            )
        yield make_batch(key, lines.numbers, lines.offsets, texts, documents, flaws, lines.n_keys)


def _find_commas(texts: pa.Array, flaws: Collection[int]) -> dict[int, str]:
    """Name the lines that are no JSON because of a comma that nothing follows."""
    if not len(texts):
        return {}
    _, places, held = texts.buffers()
    bounds = np.frombuffer(places, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    found: dict[int, str] = {}
    if not _may_have_commas(np.frombuffer(held, np.uint8)[bounds[0] : bounds[-1]]):
        return found
    for comma in _COMMA_AT_END.finditer(memoryview(held), int(bounds[0]), int(bounds[-1])):
        i = int(np.searchsorted(bounds, comma.start(), side="right")) - 1
        if i not in found and i not in flaws and not _is_json(texts[i].as_py()):
            found[i] = NOT_JSON
    return found


def _may_have_commas(content: Bytes) -> bool:
    """Say whether anything closes right behind a comma, or behind a blank that may have one before it."""
    for bracket in (ord("}"), ord("]")):
        places = np.flatnonzero(content == bracket)
        before = content[np.maximum(places - 1, 0)]
        if ((before == ord(",")) | (before <= ord(" "))).any():
            return True
    return False


def _is_json(text: str) -> bool:
    """Say whether a text is JSON; one that is nested too deep for the strict reader is left to the engine."""
    try:
        _DECODER.decode(text)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _cut_objects(key: str, content: Content, *, is_array: bool = False) -> Iterator[pa.RecordBatch]:
    """Cut where an object ends; what is no object is one flawed record, up to where the next object starts.

    Bytes are read as Latin-1 while cutting: one character each, and all that makes JSON's structure is ASCII.

    Args:
        is_array: whether the objects are the items of one array.
    """
    between, following = (_BETWEEN_ITEMS, _NEXT_ITEM) if is_array else (_BETWEEN, _NEXT_OBJECT)
    last = ""
    rows: list[tuple[int, int | None, str, str | None, str | None]] = []
    text, offset, number = "", content.n_skipped_bytes, 1
    for piece in chain(content, [None]):
        more = "" if piece is None else piece.decode("latin-1")
        last = more.rstrip()[-1:] or last
        text, start = text + more, 0
        while (begin := _end_of_blanks(text, start, between)) < len(text):
            end = _find_end(text, begin, following, is_last=piece is None)
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
    if is_array and last != "]":
        content.flaw = content.flaw or ENDS_IN_ARRAY


def _end_of_blanks(text: str, start: int, between: re.Pattern[str] = _BETWEEN) -> int:
    """Find what stands behind blanks, and whatever else separates two objects."""
    found = between.match(text, start)
    return found.end() if found else start


def _find_end(text: str, begin: int, next_object: re.Pattern[str], *, is_last: bool) -> int | None:
    """Find where the object that begins at `begin` ends; None when that cannot be said before more is read."""
    try:
        return _DECODER.raw_decode(text, begin)[1]
    except json.JSONDecodeError as error:
        is_cut = error.msg.startswith("Unterminated") or error.pos >= len(text) - _LONGEST_TOKEN
    except RecursionError:
        if (end := _end_of_deep(text, begin)) is not None:
            return end
        is_cut = True
    may_go_on = not is_last and len(text) - begin <= MAX_RECORD_BYTES
    if is_cut and may_go_on:
        return None
    following = next_object.search(text, begin + 1)
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
    is_broken = _COMMA_AT_END.search(content) is not None and not _is_json(record)
    return number, offset, record, None if is_broken else record, NOT_JSON if is_broken else None
