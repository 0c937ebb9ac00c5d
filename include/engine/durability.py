"""Brings what was written to a local disk through a power cut: its bytes, its name, and the folders that lead to it.

A rename puts a whole file in place for every process of this machine, and for a machine that loses its power neither
the file nor its name. Object stores promise both with their answer, and are left alone.
"""

import os
import tempfile
from functools import lru_cache
from pathlib import Path

from pyarrow import fs


def write_whole(path: Path, content: bytes, root: Path) -> None:
    """Write beside the goal and rename: a reader never sees half a file, nor does one after a power cut.

    Args:
        root: a folder above it.

    Raises:
        OSError: the disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync_names(path, root)
    finally:
        part.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk, whoever wrote them."""
    _sync(path, os.O_RDONLY)


def sync_names(path: Path, root: Path) -> None:
    """Wait until a file is found under its name again: its folder, and each one up to the one that holds `root`.

    Args:
        path: the file.
        root: a folder above it.
    """
    _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    if path.parent != root.parent:
        _sync_above(path.parent, root)


@lru_cache(maxsize=10_000)  # once for each folder and process: a folder's name does not change again
def _sync_above(folder: Path, root: Path) -> None:
    """Wait until the folders above one are on the disk."""
    sync_names(folder, root)


def local_place(files: fs.FileSystem, path: str) -> tuple[Path, Path] | None:
    """Say where a path of a PyArrow file system lies on this machine's disk, and where the file system's root does.

    Returns:
        both, or None where it is another machine's business.
    """
    if isinstance(files, fs.SubTreeFileSystem) and isinstance(files.base_fs, fs.LocalFileSystem):
        return Path(files.base_path) / path, Path(files.base_path)
    return None


def _sync(path: Path, flags: int) -> None:
    """Wait for one file or folder."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
