"""Writes Arrow batches as one Parquet file, named after what is in it: whole, or not at all.

On any file system that PyArrow knows, and in any process: Spark's workers write their part of a partition with it.
"""

import hashlib
import io
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from include.engine.durability import local_place, sync_file, sync_names

# Rows of a group: wide text at 10 kB a row stays under 700 MB; narrow ones still scan at full speed.
ROW_GROUP_ROWS = 65_536
# A dictionary of more bytes in a group saves less than looking for it costs: keys of rows are all different.
DICTIONARY_BYTES = 32_768
UNFINISHED = ".unfinished-"


def write_file(
    files: fs.FileSystem, folder: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch | pa.Table]
) -> tuple[str, int]:
    """Write one file; the same rows in the same order give the same file.

    Args:
        files: a PyArrow file system; it may have travelled.
        folder: in it.
        batches: rows with the columns of `schema`.

    Returns:
        its path in `files`, and how many rows it holds.
    """
    files.create_dir(folder, recursive=True)
    unfinished = f"{folder}/{UNFINISHED}{uuid.uuid4().hex}"
    n_rows = 0
    try:
        with files.open_output_stream(unfinished) as stream:
            hashing = _HashingStream(stream)
            options = {"compression": "zstd", "dictionary_pagesize_limit": DICTIONARY_BYTES}
            with pq.ParquetWriter(hashing, schema, **options) as writer:
                for group in _row_groups(batches):
                    writer.write(group.cast(schema), row_group_size=ROW_GROUP_ROWS)
                    n_rows += group.num_rows
    except BaseException:
        with suppress(OSError):  # a full disk stays full of what nobody removes
            files.delete_file(unfinished)
        raise
    path = f"{folder}/{hashing.sha256.hexdigest()[:32]}.parquet"
    # The bytes first: the name may stand already for a published file, which must never be an empty one.
    if local := local_place(files, unfinished):
        sync_file(local[0])
    files.move(unfinished, path)
    if local := local_place(files, path):
        sync_names(*local)
    return path, n_rows


def _row_groups(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """Put small batches together, up to where a group of rows is full."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
        if sum(table.num_rows for table in held) >= ROW_GROUP_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


class _HashingStream(io.RawIOBase):
    """A stream that hashes what passes through it."""

    def __init__(self, stream: pa.NativeFile) -> None:
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
