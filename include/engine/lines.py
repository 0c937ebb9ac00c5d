"""Cuts bytes into lines, piece by piece, without copying them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from include.engine.records import NOT_UTF8, SHOWN_BYTES, TOO_LONG
from include.engine.unpacking import Content

_LINE_FEED = ord("\n")
Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Lines:
    """Some lines of one object.

    Attributes:
        texts: the lines that are not blank, each with its line feed.
        numbers: their numbers, from 1; blank lines count.
        offsets: where each starts, in bytes of the unpacked content.
        flaws: position in `texts` to what is wrong with the line as text; mostly none.
    """

    texts: pa.Array
    numbers: Integers
    offsets: Integers
    flaws: Mapping[int, str] = field(default_factory=dict)


def read_lines(content: Content, max_bytes: int) -> Iterator[Lines]:
    """Cut the content at its line feeds.

    Args:
        max_bytes: a longer line is not kept whole: it comes as its beginning, with a flaw.
    """
    number, offset = 1, content.n_skipped_bytes
    started: list[bytes] = []  # the line that the last pieces began and did not end
    n_started = 0
    for piece in chain(content, [None]):
        cut = 0 if piece is None else piece.rfind(b"\n") + 1
        if cut == 0 and piece is not None:
            n_started += len(piece)
            started = _keep(started, piece, n_started, max_bytes)
            continue
        first_end = 0 if piece is None else piece.index(b"\n") + 1
        if n_started + first_end > max_bytes:
            yield _too_long([*started, b"" if piece is None else piece[:SHOWN_BYTES]], number, offset)
            number, offset = number + 1, offset + n_started + first_end
            block = b"" if piece is None else piece[first_end:cut]
        else:
            block = b"".join([*started, b"" if piece is None else piece[:cut]])
        if block:
            lines, n_lines = _cut(block, number, offset)
            number, offset = number + n_lines, offset + len(block)
            yield lines
        rest = b"" if piece is None else piece[cut:]
        started, n_started = [rest] if rest else [], len(rest)


def _keep(started: list[bytes], piece: bytes, n_started: int, max_bytes: int) -> list[bytes]:
    """Keep what a line began with, but no more of one that is too long than is shown."""
    return [*started, piece] if n_started <= max_bytes else [b"".join(started)[:SHOWN_BYTES]]


def _too_long(started: list[bytes], number: int, offset: int) -> Lines:
    """Stand in for a line that is too long."""
    shown = b"".join(started)[:SHOWN_BYTES].decode(errors="replace")
    place = np.array([number], np.int64), np.array([offset], np.int64)
    return Lines(pa.array([shown], pa.large_string()), *place, {0: TOO_LONG})


def _cut(block: bytes, number: int, offset: int) -> tuple[Lines, int]:
    """Cut whole lines; say how many there were, blank ones too."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LINE_FEED) + 1
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    bounds = np.concatenate([[0], ends]).astype(np.int64)
    texts = pa.Array.from_buffers(pa.large_string(), len(ends), [None, pa.py_buffer(bounds), pa.py_buffer(block)])
    numbers = np.arange(number, number + len(ends), dtype=np.int64)
    starts = bounds[:-1] + offset
    is_kept = ~_is_blank(block, bounds)
    if not is_kept.all():
        texts, numbers, starts = texts.filter(pa.array(is_kept)), numbers[is_kept], starts[is_kept]
    flaws: Mapping[int, str] = {}
    if not _is_utf8(block):
        texts, flaws = _mend(texts)
    return Lines(texts, numbers, starts, flaws), len(ends)


def _is_blank(block: bytes, bounds: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which lines hold nothing."""
    is_blank = np.zeros(len(bounds) - 1, bool)
    # Only a line of at most two bytes is worth the look: a blank one is "\n" or "\r\n".
    for i in np.flatnonzero(np.diff(bounds) <= 2):
        is_blank[i] = not block[bounds[i] : bounds[i + 1]].strip()
    return is_blank


def _is_utf8(block: bytes) -> bool:
    """Say whether all of it is readable text."""
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mend(texts: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """Make all lines readable, and name those that were not."""
    mended, flaws = [], {}
    for i, line in enumerate(texts.cast(pa.large_binary()).to_pylist()):
        try:
            mended.append(line.decode())
        except UnicodeDecodeError:
            mended.append(line.decode(errors="replace"))
            flaws[i] = NOT_UTF8
    return pa.array(mended, pa.large_string()), flaws
