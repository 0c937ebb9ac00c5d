"""What Spark's workers run: reading and writing, file by file.

Light to import, for every worker imports it before its first row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import ClassVar

import pyarrow as pa
import pyarrow.dataset as ds

from include.engine.formats.object_records import Records
from include.engine.object_store.objects import LocalObject, local_objects
from include.engine.partition_runs import partition_runs
from include.errors import BadLanding
from include.settings import Settings

# Gives batches; it is made on the driver and runs on a worker.
Task = Callable[[], Iterable[pa.RecordBatch]]
# Writes batches of a schema as one file, and says where, and how many rows.
Save = Callable[[pa.Schema, Iterable[pa.RecordBatch]], tuple[str, int]]
# The same for the rows of one partition, which it is told first.
SavePartition = Callable[[str, pa.Schema, Iterable[pa.RecordBatch]], tuple[str, int]]


class Fragment:
    """One file of a dataset, to be read where there is time."""

    def __init__(self, fragment: ds.Fragment, schema: pa.Schema) -> None:
        self.fragment, self.schema = fragment, schema

    def __call__(self) -> Iterator[pa.RecordBatch]:
        """Read it."""
        yield from self.fragment.to_batches(schema=self.schema)


class ObjectReader:
    """One raw object, to be cut into records where there is time."""

    def __init__(self, records: Records, item: LocalObject, settings: Settings) -> None:
        self.records, self.item = records, item
        # What a worker does not need does not travel.
        self.settings = replace(settings, warehouse_url="", pii_key="")

    def __call__(self) -> Iterator[pa.RecordBatch]:
        """Read it: from the disk where this machine sees it, else from its bucket.

        Raises:
            BadLanding: it was replaced since the driver saw it, or cannot be had.
        """
        if self.item.path.exists() or not self.item.is_copy:
            yield from self.records.read(self.item)
            return
        with local_objects(self.settings, [self.item.key]) as [own]:
            if own.seen.version != self.item.seen.version:
                raise BadLanding(f"The object {own.key} was replaced while it was read. Clear the task.")
            yield from self.records.read(own)


class Runner:
    """Runs the tasks whose numbers come to a worker."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = list(tasks)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give all that they read."""
        for batch in batches:
            for number in batch["id"].to_pylist():
                yield from self.tasks[number]()


class Writer:
    """Writes what comes to a worker as one file, and gives its path and its rows; nothing comes, nothing is written."""

    WRITTEN: ClassVar[pa.Schema] = pa.schema([("path", pa.string()), ("n_rows", pa.int64())])

    def __init__(self, save: Save, schema: pa.Schema) -> None:
        self.save, self.schema = save, schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write."""
        filled = (batch for batch in batches if batch.num_rows)
        first = next(filled, None)
        if first is not None:
            path, n_rows = self.save(self.schema, chain([first], filled))
            yield pa.record_batch([[path], [n_rows]], schema=self.WRITTEN)


class PartitionWriter:
    """Writes what comes to a worker as one file for each partition, and gives its key, its path and its rows.

    The rows of a partition come to one worker, side by side.
    """

    WRITTEN: ClassVar[pa.Schema] = pa.schema([("partition_key", pa.string()), *Writer.WRITTEN])

    def __init__(self, save: SavePartition, schema: pa.Schema) -> None:
        self.save, self.schema = save, schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write."""
        for key, rows in partition_runs(batch for batch in batches if batch.num_rows):
            path, n_rows = self.save(key, self.schema, rows)
            yield pa.record_batch([[key], [path], [n_rows]], schema=self.WRITTEN)
