"""What a backup says of itself: where it was taken, by which code, and each of its files with size and hash.

What does not belong here: writing (`take.py`) or putting back (`restore.py`).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from include.settings import read_settings
from scripts.stack.errors import StackError
from scripts.stack.home import REPO

NAME = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20


class BadBackup(StackError):
    """A backup that is not whole, or not of this place; nothing was restored from it."""


@dataclass(frozen=True)
class FileEntry:
    """One file: its size in bytes, and the sha256 of them."""

    n_bytes: int
    sha256: str


@dataclass
class Manifest:
    """What is in a backup.

    Attributes:
        made_at_utc: when it was begun, ISO 8601.
        home: folder of the home; lake tables name their files by it.
        commit: of the code; empty where that is no git clone.
        revision: of the warehouse.
        problems: problem file to the sha256 of its text, as they stood beside the backup; they are in no backup.
        files: path in the backup to what it holds.
        format: of the backup itself.
    """

    made_at_utc: str
    home: str
    commit: str
    revision: str
    problems: dict[str, str]
    files: dict[str, FileEntry] = field(default_factory=dict)
    format: int = FORMAT

    def to_text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def read_manifest(folder: Path) -> Manifest:
    """Read what a backup says of itself.

    Raises:
        BadBackup: it says nothing, or was written by a newer Mulgil.
    """
    try:
        said = json.loads((folder / NAME).read_text())
        files = {name: FileEntry(**entry) for name, entry in said.pop("files").items()}
        manifest = Manifest(**said, files=files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadBackup(
            f"{folder} is no whole backup: its {NAME} cannot be read ({type(error).__name__}: {error}). It is written "
            "last, so a backup that was broken off has none. Take another one."
        ) from error
    if manifest.format > FORMAT:
        raise BadBackup(f"{folder} has format {manifest.format}; this Mulgil reads up to {FORMAT}. Update it first.")
    return manifest


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Compare every file of a backup with what the manifest says.

    Raises:
        BadBackup: files are missing, changed, or not in the manifest; the message names the first.
    """
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {NAME}
    wrong = [f"{name} is missing" for name in sorted(manifest.files.keys() - there)]
    wrong += [f"{name} is not in the manifest" for name in sorted(there - manifest.files.keys())]
    for name in sorted(there & manifest.files.keys()):
        with (folder / name).open("rb") as file:
            if hash_stream(file) != manifest.files[name]:
                wrong.append(f"{name} has other bytes than were written")
    if wrong:
        raise BadBackup(
            f"{len(wrong)} of {len(manifest.files)} files of {folder} are not as they were written; the first: "
            f"{wrong[0]}. Nothing was restored. Take the files from another copy of this backup, or another backup."
        )


def hash_stream(stream: BinaryIO) -> FileEntry:
    """Read a stream to its end and return its size and hash."""
    digest, n_bytes = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        n_bytes += len(chunk)
    return FileEntry(n_bytes, digest.hexdigest())


class HashingReader:
    """Reads a stream for somebody else, and knows size and hash of what it gave away.

    Args:
        stream: what is read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._n_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes more; all that are left when it is negative."""
        chunk = self._stream.read(size)
        self._digest.update(chunk)
        self._n_bytes += len(chunk)
        return chunk

    @property
    def entry(self) -> FileEntry:
        """What was given away up to now."""
        return FileEntry(self._n_bytes, self._digest.hexdigest())


def read_commit() -> str:
    """Return the commit of this clone; empty where it is none."""
    try:
        command = ["git", "-C", str(REPO), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def hash_problems() -> dict[str, str]:
    """Return each problem file's name and the sha256 of its text."""
    files = sorted(read_settings().problems_dir.glob("*.yaml"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
