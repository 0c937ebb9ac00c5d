"""Keeps who was told what until landing has it: every record at least once, whatever dies in between.

A record is a line of a file on this machine's disk before its answer is sent; files are closed after a while, put into
landing, and removed only then. What a killed service leaves is put there by the next one. A record's id is a hash of
what it says, so that the lake, whose key it is, keeps one of those that came twice.
"""

import errno
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from include.engine.object_folder import ObjectFolder
from include.names import SERVED_LOGS

EXPOSURES, DECISIONS = "exposures", "decisions"
MOST_BYTES = 1 << 30  # on the disk, while landing is away
MOST_REMEMBERED = 500_000  # ids that were written lately, some 50 MB
OPEN, CLOSED = ".open", ".jsonl"


def name_record(*parts: object) -> str:
    """Name a record by what it says: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:32]


class ServedLog:
    """Records on their way to landing.

    Args:
        folder: on this machine's disk, for this service alone.
        landing: where they go: below `served/exposures` and `served/decisions`.
        most_bytes: beyond, nothing more is kept until landing takes some; it is counted.
    """

    def __init__(self, folder: Path, landing: ObjectFolder, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._landing = landing
        self._most_bytes = most_bytes
        self._open: dict[str, tuple[int, Path]] = {}
        self._seen: set[str] = set()
        self.n_written = 0
        self.n_lost = 0
        self.trouble = ""
        self._counting = threading.Lock()  # files are sent by another thread than the one that writes them
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folder.glob(f"*{OPEN}"):  # of a service that was killed
            path.rename(path.with_suffix(CLOSED))
        self.n_bytes = sum(path.stat().st_size for path in folder.glob(f"*{CLOSED}"))

    def append(self, kind: str, record_id: str, record: Mapping[str, object]) -> None:
        """Keep a record; one of the same id that was written lately is not written again.

        Args:
            kind: `exposures` or `decisions`.
            record_id: from `name_record`.
            record: plain values.

        A record that the disk does not take is counted in `n_lost`, and `trouble` says why: whoever asks is answered
        all the same.
        """
        if record_id in self._seen:
            return
        line = json.dumps({"id": record_id, **record}).encode() + b"\n"
        if self.n_bytes + len(line) > self._most_bytes:
            self._lose(f"{self._most_bytes:,} bytes wait for landing, and no more are kept")
            return
        try:
            self._write(self._descriptor(kind), line)
        except OSError as error:
            self._lose(str(error))
            return
        self._count(len(line))
        self.n_written += 1
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen.add(record_id)

    @staticmethod
    def _write(descriptor: int, line: bytes) -> None:
        """Write a line whole, or none of it: half of one would be glued to the next.

        Raises:
            OSError: the disk does not take it.
        """
        n_written = os.write(descriptor, line)  # the system has it: it survives the end of this process
        if n_written < len(line):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - n_written)
            raise OSError(errno.ENOSPC, f"the disk took {n_written:,} of {len(line):,} bytes of a record")

    def _lose(self, why: str) -> None:
        """Count a record that is not kept."""
        self.n_lost += 1
        self.trouble = f"{self.n_lost:,} records were lost, the last because: {why}."

    def _count(self, n_bytes: int) -> None:
        """Count bytes that wait."""
        with self._counting:
            self.n_bytes += n_bytes

    def _descriptor(self, kind: str) -> int:
        """Give the file that takes a kind's records."""
        if kind not in self._open:
            name = f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(6)}{OPEN}"
            path = self._folder / name
            self._open[kind] = (os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), path)
        return self._open[kind][0]

    def close_files(self) -> None:
        """Let what was written so far be sent; later records get files of their own."""
        for kind in list(self._open):
            descriptor, path = self._open.pop(kind)
            os.close(descriptor)
            path.rename(path.with_suffix(CLOSED))

    def ship(self) -> int:
        """Put every closed file into landing, then remove it here.

        Returns:
            how many were.

        Raises:
            OSError: landing takes none; what is left is sent next time.
        """
        paths = sorted(self._folder.glob(f"*{CLOSED}"))
        for path in paths:
            kind, day = path.name.split("-")[0], path.name.split("-")[1][:8]
            content = path.read_bytes()
            # The same name when it is sent again: it replaces itself.
            self._landing.write(f"{SERVED_LOGS}/{kind}/{day[:4]}-{day[4:6]}-{day[6:]}/{path.name}", content)
            path.unlink()
            self._count(-len(content))
        return len(paths)
