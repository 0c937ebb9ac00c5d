"""Cuts bytes into lines, piece by piece, without copying them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from include.engine.records import NOT_UTF8, SHOWN_BYTES, TOO_LONG
from include.engine.unpacking import Content

_LINE_FEED, _QUOTE, _COLON = ord("\n"), ord('"'), ord(":")
_FIRST_BEYOND_ASCII = 0x80
_STRIP_BYTES = 1 << 20
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Lines:
    """Some lines of one object.

    Attributes:
        texts: the lines that are not blank, each with its line feed.
        numbers: their numbers, from 1; blank lines count.
        offsets: where each starts, in bytes of the unpacked content.
        n_keys: how many keys each has at most, read as JSON; null where nobody counted.
        flaws: position in `texts` to what is wrong with the line as text; mostly none.
    """

    texts: pa.Array
    numbers: Integers
    offsets: Integers
    n_keys: pa.Array
    flaws: Mapping[int, str] = field(default_factory=dict)


def read_lines(content: Content, max_bytes: int) -> Iterator[Lines]:
    """Cut the content at its line feeds.

    Args:
        max_bytes: a longer line is not kept whole: it comes as its beginning, with a flaw.
    """
    number, offset = 1, content.n_skipped_bytes
    started: list[bytes] = []  # the line that the last pieces began and did not end
    n_started = 0
    for piece in chain(content, [b""]):  # the last line ends where nothing comes any more
        cut = piece.rfind(b"\n") + 1
        if not cut and piece:
            n_started += len(piece)
            started = _keep(started, piece, n_started, max_bytes)
            continue
        first_end = piece.find(b"\n") + 1
        begin = 0
        # Only this line is put together, so that the others are not copied: they stay where they were read to.
        if n_started or first_end > max_bytes:
            if n_started + first_end > max_bytes:
                yield _too_long([*started, piece[:SHOWN_BYTES]], number, offset)
            else:
                line = b"".join([*started, piece[:first_end]])
                yield _cut(line, 0, len(line), number, offset)[0]
            number, offset, begin = number + 1, offset + n_started + first_end, first_end
        if begin < cut:
            lines, n_lines = _cut(piece, begin, cut, number, offset)
            number, offset = number + n_lines, offset + cut - begin
            yield lines
        rest = piece[cut:]
        started, n_started = [rest] if rest else [], len(rest)


def _keep(started: list[bytes], piece: bytes, n_started: int, max_bytes: int) -> list[bytes]:
    """Keep what a line began with, but no more of one that is too long than is shown."""
    return [*started, piece] if n_started <= max_bytes else [b"".join(started)[:SHOWN_BYTES]]


def _too_long(started: list[bytes], number: int, offset: int) -> Lines:
    """Stand in for a line that is too long."""
    shown = b"".join(started)[:SHOWN_BYTES].decode(errors="replace")
    place = np.array([number], np.int64), np.array([offset], np.int64)
    return Lines(pa.array([shown], pa.large_string()), *place, pa.nulls(1, pa.int64()), {0: TOO_LONG})


def _cut(block: bytes, begin: int, end: int, number: int, offset: int) -> tuple[Lines, int]:
    """Cut the whole lines between two places of a block; say how many there were, blank ones too.

    Args:
        offset: of the first line, in bytes of the unpacked content.
    """
    content = np.frombuffer(block, np.uint8)[begin:end]
    ends, key_ends = _find_ends(content)
    if content[-1] != _LINE_FEED:
        ends = np.append(ends, len(content))
    bounds = np.concatenate([[0], ends]).astype(np.int64)
    places = pa.py_buffer(bounds + begin)
    texts = pa.Array.from_buffers(pa.large_string(), len(ends), [None, places, pa.py_buffer(block)])
    numbers = np.arange(number, number + len(ends), dtype=np.int64)
    starts, n_keys = bounds[:-1] + offset, np.diff(np.searchsorted(key_ends, ends), prepend=0)
    is_kept = ~_is_blank(content, bounds)
    if not is_kept.all():
        texts, numbers, starts = texts.filter(pa.array(is_kept)), numbers[is_kept], starts[is_kept]
        n_keys = n_keys[is_kept]
    flaws: Mapping[int, str] = {}
    if not _is_utf8(content):
        texts, flaws = _mend(texts)
    return Lines(texts, numbers, starts, pa.array(n_keys), flaws), len(ends)


def _find_ends(content: Bytes) -> tuple[Integers, Integers]:
    """Find where lines end, and where, read as JSON, keys may: at no other colons than those behind a quote or a blank.

    Strip by strip: what is computed of one stays in the processor's cache, and in memory that is had already.
    """
    lines, keys = [], []
    for begin in range(0, len(content), _STRIP_BYTES):
        strip = content[begin : begin + _STRIP_BYTES]
        lines.append(np.flatnonzero(strip == _LINE_FEED) + (begin + 1))
        may_end = strip == _COLON
        may_end[1:] &= strip[:-1] <= _QUOTE  # blanks sort before it
        keys.append(np.flatnonzero(may_end) + begin)
    return np.concatenate(lines), np.concatenate(keys)


def _is_blank(content: Bytes, bounds: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which lines hold nothing."""
    is_blank = np.zeros(len(bounds) - 1, bool)
    # Only a line of at most two bytes is worth the look: a blank one is "\n" or "\r\n".
    for i in np.flatnonzero(np.diff(bounds) <= 2):
        is_blank[i] = not content[bounds[i] : bounds[i + 1]].tobytes().strip()
    return is_blank


def _is_utf8(content: Bytes) -> bool:
    """Say whether all of it is readable text."""
    if content.max(initial=0) < _FIRST_BEYOND_ASCII:
        return True
    try:
        str(content.data, "utf-8")
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
