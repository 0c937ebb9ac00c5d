"""Gives the bytes inside of an object, piece by piece: gzip and zstd are told by their first bytes, not by a name.

Memory stays bounded whatever comes: a piece is a few MiB at most, and an object that unpacks to absurdly
more than it stored is given up.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import pyarrow as pa

PIECE_BYTES = 4 << 20  # large enough that Python's share of the work is small, small enough for several in memory
HEAD_BYTES = 1 << 20  # a first record as long as this is still looked at when formats are told apart
# Logs unpack ten to fifty times; a gzip of zeros a thousand times. Below the second number nobody is hurt.
MAX_RATIO, HARMLESS_BYTES = 200, 256 << 20

CUT_SHORT = "object cannot be read to its end"
UNPACKS_TOO_LARGE = f"object unpacks to more than {MAX_RATIO} times its size"
IS_EMPTY = "object is empty"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# A zstd stream may start with frames that hold nothing of the content: pzstd writes one with each frame's size.
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
# Told by their first bytes, so that the reason names them, instead of thousands of lines of which none is a record.
_UNREADABLE = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # without a file in it
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x9d": "compress (.Z)",
    b"]\x00\x00": "lzma",
    b"x\x01": "zlib",
    b"x\x9c": "zlib",
    b"x\xda": "zlib",
    b"PAR1": "Parquet",
    b"Obj\x01": "Avro",
    b"ARROW1\x00\x00": "Arrow",
    b"SQLite format 3\x00": "SQLite",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel file",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_LONGEST_MAGIC = max(map(len, _UNREADABLE))
_TAR_AT, _TAR = 257, b"ustar"
_SAMPLE_BYTES = 4_096
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def name_foreign(head: bytes) -> str | None:
    """Say what bytes are that are no text in UTF-8, told by how they start; None where they may be text.

    UTF-16 and UTF-32 without a mark are told by their zeros: of Latin letters one byte in two, three in four.
    """
    for magic, name in _UNREADABLE.items():
        if head.startswith(magic):
            return name
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "tar"
    sample = head[:_SAMPLE_BYTES]
    n_zeros = sorted(sample[place::4].count(0) for place in range(4))
    if n_zeros[0] <= len(sample) // 80 and n_zeros[1] > len(sample) // 8:
        return "UTF-32"
    n_even, n_odd, n_pairs = sample[::2].count(0), sample[1::2].count(0), len(sample) // 2
    is_utf16 = n_pairs > 1 and max(n_even, n_odd) > n_pairs // 4 and min(n_even, n_odd) <= n_pairs // 20
    return "UTF-16" if is_utf16 else None


def name_packing(head: bytes) -> str | None:
    """Say how bytes are packed, where that is a way that is unpacked here."""
    if head.startswith(_GZIP):
        return "gzip"
    return "zstd" if head.startswith(_ZSTD) or _ZSTD_SKIPPABLE.match(head) else None


class Content:
    """The unpacked bytes of one object, to go through once.

    Attributes:
        flaw: why the object could not be read, or not to its end; None while nothing is wrong.
        head: its first bytes, unpacked, for recognising the format; none of an object that is no text.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        piece_bytes: int = PIECE_BYTES,
        head_bytes: int = HEAD_BYTES,
        harmless_bytes: int = HARMLESS_BYTES,
    ) -> None:
        self.flaw: str | None = None
        self._stream, self._piece_bytes, self._harmless_bytes = stream, piece_bytes, harmless_bytes
        self._n_stored = self._n_unpacked = 0
        packed_as, pieces = self._open()
        self._pieces = self._bounded(pieces)
        self.head = b""
        # Not just the first piece: what unpacking gives first may be a few bytes.
        while len(self.head) < head_bytes and (piece := next(self._pieces, b"")):
            self.head += piece
        self._refuse_foreign(packed_as)

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces, from the first one on; stops early where the object breaks, and `flaw` says why."""
        first = self.head.removeprefix(BYTE_ORDER_MARK)  # it is no part of the first record
        if first:
            yield first
        yield from self._pieces

    @property
    def n_skipped_bytes(self) -> int:
        """Say how many bytes before the first record are not part of it."""
        return len(BYTE_ORDER_MARK) if self.head.startswith(BYTE_ORDER_MARK) else 0

    @property
    def line_end(self) -> bytes:
        """Say what ends a line: a line feed, or a carriage return where there is nothing else, as old Macs wrote it."""
        return b"\r" if b"\r" in self.head and b"\n" not in self.head else b"\n"

    def breaks_off_in(self, line: str) -> bool:
        """Say whether a line has no end because its object has none: its last value may be cut, and look whole."""
        return self.flaw == CUT_SHORT and not line.endswith(("\n", "\r"))

    def _open(self) -> tuple[str | None, Iterator[bytes]]:
        """Choose how to unpack; say what the object is packed as, None where it is not."""
        first = self._read(_LONGEST_MAGIC)
        if not first:
            self.flaw = IS_EMPTY
            return None, iter(())
        packed_as = name_packing(first)
        unpack = {"gzip": self._gunzip, "zstd": self._unzstd, None: self._plain}[packed_as]
        return packed_as, unpack(first)

    def _refuse_foreign(self, packed_as: str | None) -> None:
        """Give up what is no text, or is packed twice: thousands of lines would be quarantined one by one."""
        found = name_foreign(self.head) or (packed_as and name_packing(self.head))
        if found is not None:
            within = f" in {packed_as}" if packed_as else ""
            advice = f"; write it as UTF-8: iconv -f {found} -t UTF-8" if found.startswith("UTF-") else ""
            self.flaw = f"object is {found}{within}, which is not what the problem's file says{advice}"
            self.head, self._pieces = b"", iter(())

    def _read(self, n_bytes: int | None = None) -> bytes:
        """Read what is stored, counting; one piece of it when no number is given."""
        stored = self._stream.read(n_bytes or self._piece_bytes)
        self._n_stored += len(stored)
        return stored

    def _plain(self, first: bytes) -> Iterator[bytes]:
        """Give stored bytes as they are."""
        yield first + self._read()
        while piece := self._read():
            yield piece

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Stop where the object turns out to be a bomb."""
        for piece in pieces:
            self._n_unpacked += len(piece)
            if self._n_unpacked > max(self._harmless_bytes, MAX_RATIO * self._n_stored):
                self.flaw = UNPACKS_TOO_LARGE
                return
            yield piece

    def _gunzip(self, first: bytes) -> Iterator[bytes]:
        """Unpack gzip members one after the other; the library's own reader gives nothing of one that was cut."""
        stored = first
        while stored:
            member = zlib.decompressobj(wbits=31)  # 31: with gzip's header and checksum
            while not member.eof:
                try:
                    piece = member.decompress(stored, self._piece_bytes)
                except zlib.error:
                    self.flaw = CUT_SHORT
                    return
                if piece:
                    yield piece
                stored = member.unconsumed_tail or (b"" if member.eof else self._read(1 << 16))
                if not stored and not member.eof and len(piece) < self._piece_bytes:
                    self.flaw = CUT_SHORT
                    return
            # Zeros behind the last member are padding, as tapes and gzip itself have it.
            stored = member.unused_data or self._read(1 << 16)
            while stored and not (stored := stored.lstrip(b"\0")):
                stored = self._read(1 << 16)

    def _unzstd(self, first: bytes) -> Iterator[bytes]:
        """Unpack zstd as far as it goes."""
        stream = pa.CompressedInputStream(pa.PythonFile(_Rest(first, self), "r"), "zstd")
        n_given = 0
        try:
            while piece := stream.read(self._piece_bytes):
                n_given += len(piece)
                yield piece
        except OSError:  # a producer that was killed, or a transfer that was cut
            self.flaw = CUT_SHORT
            if self._stream.seekable() and (last := self._unzstd_last(n_given)):
                yield last

    def _unzstd_last(self, n_given: int) -> bytes:
        """Unpack once more what stands before the place where zstd breaks: the library gives nothing of that piece."""
        self._stream.seek(0)
        self._n_stored = 0
        stream = pa.CompressedInputStream(pa.PythonFile(_Rest(b"", self), "r"), "zstd")
        for begin in range(0, n_given, self._piece_bytes):
            stream.read(min(self._piece_bytes, n_given - begin))
        last = bytearray()
        with suppress(OSError):
            while byte := stream.read(1):
                last += byte
        return bytes(last)


class _Rest:
    """A readable file: bytes that were looked at already, then the rest of the stream, counted."""

    closed = False

    def __init__(self, first: bytes, content: Content) -> None:
        self._first, self._content = first, content

    def read(self, n_bytes: int = -1) -> bytes:
        """Read on."""
        first, self._first = self._first, b""
        return first or self._content._read(max(n_bytes, 0))

    def close(self) -> None:
        """Leave the stream to its owner."""
