"""Cuts bytes into lines, piece by piece, without copying them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from include.engine.formats.decompression import BYTE_ORDER_MARK, Content
from include.engine.formats.record_batches import NOT_UTF8, SHOWN_BYTES, too_long

_QUOTE, _COLON, _BLANK = ord('"'), ord(":"), ord(" ")
_FIRST_BEYOND_ASCII = 0x80
_STRIP_BYTES = 1 << 20
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Lines:
    """Some lines of one object.

    Attributes:
        texts: the lines, each with its end; blank ones only where they were asked for.
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


@dataclass(frozen=True)
class _Cutter:
    """Cuts blocks of whole lines.

    Attributes:
        end: what a line ends with, one byte.
        max_bytes: a longer line comes as its beginning.
        is_raw: whether blank lines and byte order marks are given, too.
    """

    end: bytes
    max_bytes: int
    is_raw: bool

    def cut(self, block: bytes, begin: int, end: int, number: int, offset: int) -> tuple[Lines, int]:
        """Cut the whole lines between two places of a block; say how many there were, blank ones too.

        Args:
            number, offset: of the first line; the offset in bytes of the unpacked content.
        """
        content = np.frombuffer(block, np.uint8)[begin:end]
        ends, key_ends = _find_ends(content, self.end[0])
        if content[-1] != self.end[0]:
            ends = np.append(ends, len(content))
        bounds = np.concatenate([[0], ends]).astype(np.int64)
        places = pa.py_buffer(bounds + begin)
        texts = pa.Array.from_buffers(pa.large_string(), len(ends), [None, places, pa.py_buffer(block)])
        numbers = np.arange(number, number + len(ends), dtype=np.int64)
        starts, n_keys = bounds[:-1] + offset, np.diff(np.searchsorted(key_ends, ends), prepend=0)
        is_kept = np.ones(len(ends), bool) if self.is_raw else ~_is_blank(content, bounds)
        if not is_kept.all():
            texts, numbers, starts = texts.filter(pa.array(is_kept)), numbers[is_kept], starts[is_kept]
            n_keys = n_keys[is_kept]
        flaws: Mapping[int, str] = {}
        is_long = end - begin > self.max_bytes and bool((np.diff(bounds) > self.max_bytes).any())
        if is_long or (content.max(initial=0) >= _FIRST_BEYOND_ASCII and self._is_odd(block, begin, end)):
            texts, flaws = self._mend(texts)
        return Lines(texts, numbers, starts, pa.array(n_keys), flaws), len(ends)

    def _is_odd(self, block: bytes, begin: int, end: int) -> bool:
        """Say whether something between two places of a block is no text, or a mark between two files."""
        try:
            str(memoryview(block)[begin:end], "utf-8")
        except UnicodeDecodeError:
            return True
        return not self.is_raw and block.find(BYTE_ORDER_MARK, begin, end) >= 0

    def _mend(self, texts: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """Make all lines readable and short enough, without byte order marks, and name those that were not."""
        mended, flaws = [], {}
        for i, line in enumerate(texts.cast(pa.large_binary()).to_pylist()):
            if len(line) > self.max_bytes:
                mended.append(line[:SHOWN_BYTES].decode(errors="replace"))
                flaws[i] = too_long(self.max_bytes)
                continue
            while not self.is_raw and line.startswith(BYTE_ORDER_MARK):
                line = line.removeprefix(BYTE_ORDER_MARK)
            try:
                mended.append(line.decode())
            except UnicodeDecodeError:
                mended.append(line.decode(errors="replace"))
                flaws[i] = NOT_UTF8
        return pa.array(mended, pa.large_string()), flaws


def read_lines(content: Content, max_bytes: int, *, is_raw: bool = False) -> Iterator[Lines]:
    """Cut the content at its line feeds, or at its carriage returns where it has no line feed.

    A byte order mark at the start of a line is no part of it: files that were put together have one where each began.

    Args:
        max_bytes: a longer line is not kept whole: it comes as its beginning, with a flaw.
        is_raw: whether to give blank lines and marks, too: inside of quotes they are content.
    """
    cutter = _Cutter(content.line_end, max_bytes, is_raw)
    number, offset = 1, content.n_skipped_bytes
    started: list[bytes] = []  # the line that the last pieces began and did not end
    n_started = 0
    for piece in chain(content, [b""]):  # the last line ends where nothing comes any more
        cut = piece.rfind(cutter.end) + 1
        if not cut and piece:
            n_started += len(piece)
            started = _keep(started, piece, n_started, max_bytes)
            continue
        first_end = piece.find(cutter.end) + 1
        begin = 0
        # Only this line is put together, so that the others are not copied: they stay where they were read to.
        if n_started or first_end > max_bytes:
            if n_started + first_end > max_bytes:
                yield _too_long([*started, piece[:SHOWN_BYTES]], number, offset, max_bytes)
            else:
                line = b"".join([*started, piece[:first_end]])
                yield cutter.cut(line, 0, len(line), number, offset)[0]
            number, offset, begin = number + 1, offset + n_started + first_end, first_end
        if begin < cut:
            lines, n_lines = cutter.cut(piece, begin, cut, number, offset)
            number, offset = number + n_lines, offset + cut - begin
            yield lines
        rest = piece[cut:]
        started, n_started = [rest] if rest else [], len(rest)


def _keep(started: list[bytes], piece: bytes, n_started: int, max_bytes: int) -> list[bytes]:
    """Keep what a line began with, but no more of one that is too long than is shown."""
    return [*started, piece] if n_started <= max_bytes else [b"".join(started)[:SHOWN_BYTES]]


def _too_long(started: list[bytes], number: int, offset: int, max_bytes: int) -> Lines:
    """Stand in for a line that is too long."""
    shown = b"".join(started)[:SHOWN_BYTES].decode(errors="replace")
    place = np.array([number], np.int64), np.array([offset], np.int64)
    return Lines(pa.array([shown], pa.large_string()), *place, pa.nulls(1, pa.int64()), {0: too_long(max_bytes)})


def _find_ends(content: Bytes, line_end: int) -> tuple[Integers, Integers]:
    """Find where lines end, and where, read as JSON, keys may: at no other colons than those behind a quote or a blank.

    Strip by strip: what is computed of one stays in the processor's cache, and in memory that is had already.
    """
    lines, keys = [], []
    for begin in range(0, len(content), _STRIP_BYTES):
        strip = content[begin : begin + _STRIP_BYTES]
        lines.append(np.flatnonzero(strip == line_end) + (begin + 1))
        may_end = strip == _COLON
        may_end[1:] &= strip[:-1] <= _QUOTE  # blanks sort before it
        keys.append(np.flatnonzero(may_end) + begin)
    return np.concatenate(lines), np.concatenate(keys)


def _is_blank(content: Bytes, bounds: Integers) -> Flags:
    """Say which lines hold nothing."""
    is_blank = np.zeros(len(bounds) - 1, bool)
    first = content[bounds[:-1]]
    # Only a line that starts with a blank, a line end or a byte order mark is worth the look.
    for i in np.flatnonzero((first <= _BLANK) | (first == BYTE_ORDER_MARK[0])):
        is_blank[i] = not content[bounds[i] : bounds[i + 1]].tobytes().replace(BYTE_ORDER_MARK, b"").strip()
    return is_blank
