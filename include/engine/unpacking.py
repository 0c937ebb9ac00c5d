"""Gives the bytes inside of an object, piece by piece: gzip and zstd are told by their first bytes, not by a name.

Memory stays bounded whatever comes: a piece is a few MiB at most, and an object that unpacks to absurdly
more than it stored is given up.
"""

import zlib
from collections.abc import Iterator
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
# Told by their first bytes, so that the reason names them, instead of thousands of lines of which none is a record.
_UNREADABLE = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PAR1": "Parquet",
}


class Content:
    """The unpacked bytes of one object, to go through once.

    Attributes:
        flaw: why the object could not be read to its end; None while nothing is wrong.
        head: its first bytes, unpacked, for telling formats apart.
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
        self._pieces = self._bounded(self._open())
        self.head = b""
        # Not just the first piece: what unpacking gives first may be a few bytes.
        while len(self.head) < head_bytes and (piece := next(self._pieces, b"")):
            self.head += piece

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces, from the first one on; stops early where the object breaks, and `flaw` says why."""
        first = self.head.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is no part of the first record
        if first:
            yield first
        yield from self._pieces

    @property
    def n_skipped_bytes(self) -> int:
        """Say how many bytes before the first record are not part of it."""
        return 3 if self.head.startswith(b"\xef\xbb\xbf") else 0

    def _open(self) -> Iterator[bytes]:
        """Choose how to unpack."""
        first = self._read(max(map(len, _UNREADABLE)))
        if not first:
            self.flaw = IS_EMPTY
            return iter(())
        for magic, name in _UNREADABLE.items():
            if first.startswith(magic):
                self.flaw = f"object is {name}, which is not what the problem's file says"
                return iter(())
        if first.startswith(_GZIP):
            return self._gunzip(first)
        if first.startswith(_ZSTD):
            return self._unzstd(first)
        return self._plain(first)

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
            stored = member.unused_data or self._read(1 << 16)

    def _unzstd(self, first: bytes) -> Iterator[bytes]:
        """Unpack zstd as far as it goes."""
        stream = pa.CompressedInputStream(pa.PythonFile(_Rest(first, self), "r"), "zstd")
        try:
            while piece := stream.read(self._piece_bytes):
                yield piece
        except OSError:  # a producer that was killed, or a transfer that was cut
            self.flaw = CUT_SHORT


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
