"""The lake's Parquet files, on disk or on S3: names, hashes, writing whole or not at all.

What does not belong here: which files are part of a table; Iceberg knows that.
"""

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import ibis
import pyarrow as pa
from pyarrow import fs

from include.engine.durability import sync_file, sync_names
from include.engine.parquet_file import UNFINISHED, write_file
from include.engine.parquet_writer import (
    copy_rows,
    count_by_partition,
    write_partition,
    write_partition_parts,
    write_parts,
    write_rows,
)
from include.engine.session import is_spark
from include.names import LAKE_NAMESPACE, LINE_NUMBER, OBJECT_KEY
from include.settings import Settings, read_settings

# Of a file; a group of partitions holds no more raw bytes than this.
MOST_BYTES_ALIKE = 64 << 20


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


def open_files() -> fs.SubTreeFileSystem:
    """Open the lake's file system; paths in it are relative to the lake."""
    settings = read_settings()
    root = lake_root(settings.lake_url)
    if root.startswith("s3://"):
        return fs.SubTreeFileSystem(root.removeprefix("s3://"), _s3(settings))
    Path(root).mkdir(parents=True, exist_ok=True)
    return fs.SubTreeFileSystem(root, fs.LocalFileSystem())


def _s3(settings: Settings) -> fs.S3FileSystem:
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
    return write_file(open_files(), folder, schema, batches)


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


def write_files(
    engine: ibis.BaseBackend, rows: ibis.Table | str, folder: str, order: Sequence[str] = ()
) -> tuple[list[str], int]:
    """Write rows of the engine to files of the lake.

    Args:
        rows: on DuckDB also the SQL of them.
        folder: relative to the lake.
        order: columns by which the rows of a file are put in order on Spark, where a join has none.

    Returns:
        their paths relative to the lake: one, or on Spark as many as workers wrote, none where there are no rows; and
        how many rows they hold.
    """
    if not isinstance(rows, str) and is_spark(engine):
        written = write_parts(engine, rows, partial(write_file, open_files(), folder), order)
        return sorted(path for path, _ in written), sum(n_rows for _, n_rows in written)
    with unfinished_file(folder) as path:
        n_rows = write_rows(engine, rows, path)
        return ([_keep_alike(engine, path, folder)] if n_rows else []), n_rows


def write_partitions(
    engine: ibis.BaseBackend, rows: ibis.Table | str, table_name: str, partition_keys: Sequence[str]
) -> dict[str, tuple[list[str], int]]:
    """Write rows of some partitions to files of the lake, each partition to its own.

    Args:
        rows: with `_partition_key`, `_object_key` and `_line_number`, computed once; on DuckDB also the SQL of them.
        partition_keys: that the rows are of; one or more.

    Returns:
        partition to what `write_files` returns, for each of `partition_keys`.
    """
    folders = {key: partition_folder(table_name, key) for key in partition_keys}
    written: dict[str, tuple[list[str], int]] = dict.fromkeys(partition_keys, ([], 0))
    if not isinstance(rows, str) and is_spark(engine):
        if len(partition_keys) == 1:
            return {key: write_files(engine, rows, folder) for key, folder in folders.items()}
        save = partial(_save_partition, open_files(), folders)
        parts = write_partition_parts(engine, rows, save, len(folders), [OBJECT_KEY, LINE_NUMBER])
        return written | {key: ([path for path, _ in some], sum(n for _, n in some)) for key, some in parts.items()}
    with unfinished_file(folders[partition_keys[0]]) as spool:
        n_rows = write_rows(engine, rows, spool)
        if not n_rows:
            return written
        if len(partition_keys) == 1:
            return {key: ([_keep_alike(engine, spool, folder)], n_rows) for key, folder in folders.items()}
        for key in count_by_partition(engine, spool):
            with unfinished_file(folders[key]) as path:
                n_rows = write_partition(engine, spool, key, path)
                written[key] = ([_keep_alike(engine, path, folders[key])], n_rows)
    return written


def _keep_alike(engine: ibis.BaseBackend, path: Path, folder: str) -> str:
    """Put a finished file into the lake in bytes that hang on its rows alone, not on the query that gave them.

    So a partition makes no new snapshot when it is ingested by itself, in a group, or replayed. A larger file is never
    of a group.
    """
    if path.stat().st_size > MOST_BYTES_ALIKE:
        return keep_file(path, folder)
    with unfinished_file(folder) as again:
        copy_rows(engine, path, again)
        return keep_file(again, folder)


def _save_partition(
    lake: fs.FileSystem, folders: Mapping[str, str], key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> tuple[str, int]:
    """Write the rows of one partition as one file, on a worker of Spark."""
    return write_file(lake, folders[key], schema, batches)


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
        # The bytes first: the name may stand already for a published file, which must never be an empty one.
        sync_file(path)
        path.replace(absolute(name))
        sync_names(Path(absolute(name)), Path(absolute("")))
        return name
    with path.open("rb") as source, open_files().open_output_stream(name) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return name


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


def missing_files(paths: Sequence[str]) -> list[str]:
    """Name those of some files that are not there."""
    infos = open_files().get_file_info(list(paths))
    return [path for path, info in zip(paths, infos, strict=True) if info.type != fs.FileType.File]


def remove_files(paths: Sequence[str]) -> None:
    """Remove files; the caller knows that no snapshot needs them."""
    files = open_files()
    for path in paths:
        files.delete_file(path)
