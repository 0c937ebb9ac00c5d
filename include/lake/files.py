"""The lake's Parquet files, on disk or on S3: names, hashes, writing whole or not at all.

What does not belong here: which files are part of a table; Iceberg knows that.
"""

import hashlib
import io
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from include.engine.writing import ROW_GROUP_ROWS
from include.names import LAKE_NAMESPACE
from include.settings import Settings, read_settings

UNFINISHED = ".unfinished-"


def lake_root(lake_url: str) -> str:
    """Write the lake's place the way it stands in table metadata: an absolute path or an s3 URL, no trailing slash."""
    if "://" in lake_url:
        return lake_url.removeprefix("file://").rstrip("/")
    return str(Path(lake_url).absolute())


def is_on_disk() -> bool:
    """Say whether the lake is a folder, which the engine reads without help."""
    return "://" not in lake_root(read_settings().lake_url)


def absolute(path: str) -> str:
    """Name a file of the lake, given relative to the lake, as table metadata does."""
    return f"{lake_root(read_settings().lake_url)}/{path}"


def relative(location: str) -> str:
    """Name a file, given as in table metadata, relative to the lake."""
    return location.removeprefix(lake_root(read_settings().lake_url)).lstrip("/")


def open_files() -> Any:
    """Open the lake's file system; paths in it are relative to the lake."""
    settings = read_settings()
    root = lake_root(settings.lake_url)
    if root.startswith("s3://"):
        return fs.SubTreeFileSystem(root.removeprefix("s3://"), _s3(settings))
    Path(root).mkdir(parents=True, exist_ok=True)
    return fs.SubTreeFileSystem(root, fs.LocalFileSystem())


def _s3(settings: Settings) -> Any:
    """Open S3, or the store that stands in for it."""
    return fs.S3FileSystem(endpoint_override=settings.s3_endpoint) if settings.s3_endpoint else fs.S3FileSystem()


def partition_folder(table_name: str, partition_key: str) -> str:
    """Name the folder of a partition's files, relative to the lake."""
    return f"{table_name.removeprefix(f'{LAKE_NAMESPACE}.')}/data/{partition_key}"


def write_parquet(folder: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch | pa.Table]) -> tuple[str, int]:
    """Write one Parquet file, named after the hash of its bytes: the same rows in the same order give the same file.

    Args:
        folder: relative to the lake.
        batches: rows with exactly the columns of `schema`.

    Returns:
        its path relative to the lake, and how many rows it holds.
    """
    files = open_files()
    files.create_dir(folder, recursive=True)
    unfinished = f"{folder}/{UNFINISHED}{uuid.uuid4().hex}"
    n_rows = 0
    with files.open_output_stream(unfinished) as stream:
        hashing = _HashingStream(stream)
        with pq.ParquetWriter(hashing, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write(batch, row_group_size=ROW_GROUP_ROWS)
                n_rows += batch.num_rows
    path = f"{folder}/{hashing.sha256.hexdigest()[:32]}.parquet"
    files.move(unfinished, path)
    return path, n_rows


@contextmanager
def unfinished_file(folder: str) -> Iterator[Path]:
    """Give a path on disk to write a file of the lake to; what is left there at the end of the block is removed.

    Args:
        folder: where `keep_file` will put it, relative to the lake. A lake on disk is written to at once, so that
            keeping the file is a rename.
    """
    settings = read_settings()
    place = Path(absolute(folder)) if is_on_disk() else settings.home / "spool"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{UNFINISHED}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def keep_file(path: Path, folder: str, suffix: str = "parquet") -> str:
    """Put a finished file into the lake, named after the hash of its bytes.

    Args:
        path: from `unfinished_file`.
        folder: relative to the lake.

    Returns:
        its path relative to the lake.
    """
    with path.open("rb") as stream:
        name = f"{folder}/{hashlib.file_digest(stream, 'sha256').hexdigest()[:32]}.{suffix}"
    if is_on_disk():
        path.replace(absolute(name))
        return name
    with path.open("rb") as source, open_files().open_output_stream(name) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return name


class _HashingStream(io.RawIOBase):
    """A stream that hashes what passes through it."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Pass bytes on."""
        self.sha256.update(data)
        self.stream.write(data)
        return len(data)


def hash_file(path: str) -> str:
    """Return the sha256 of a file's bytes.

    Raises:
        FileNotFoundError: it is not there.
    """
    digest = hashlib.sha256()
    with open_files().open_input_stream(path) as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def list_folder(folder: str) -> list[str]:
    """List the files of a folder, relative to the lake; none when there is no such folder."""
    infos = open_files().get_file_info(fs.FileSelector(folder, allow_not_found=True))
    return sorted(info.path for info in infos if info.type == fs.FileType.File)


def remove_files(paths: Sequence[str]) -> None:
    """Remove files; the caller knows that no snapshot needs them."""
    files = open_files()
    for path in paths:
        files.delete_file(path)
