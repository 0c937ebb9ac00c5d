"""The records of raw objects, read anew for each query, in pieces, in order."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from include.engine.formats.fields import Wanted
from include.engine.formats.object_times import ObjectTime
from include.engine.formats.read_records import read_records
from include.engine.formats.record_batches import FLAW, SCHEMA, flawed, with_times
from include.engine.object_store.objects import LocalObject
from include.names import LINE_NUMBER

OF_THE_OBJECT = "object "  # what flaws of a whole object start with, unlike those of a record
# What nobody foresaw, or the disk does not give. It may be read another time: landing tries again.
CANNOT_BE_READ = f"{OF_THE_OBJECT}cannot be read: "

Lines = np.ndarray[Any, np.dtype[np.bool_]]


class Records:
    """The records of some objects, as an Arrow stream that may be gone through more than once.

    Attributes:
        n_records: object key to how many records the last pass read; exact once it came to its end.
        flaws: object key to why the object could not be read to its end.
    """

    def __init__(
        self,
        objects: Sequence[LocalObject],
        log_format: str,
        *,
        wanted: Wanted | None = None,
        given_up: Mapping[str, str] | None = None,
        times: Mapping[str, ObjectTime] | None = None,
        keep: Callable[[str, pa.RecordBatch], pa.RecordBatch] = lambda _, batch: batch,
    ) -> None:
        """Say what to read.

        Args:
            wanted: what is read out of records; None for all. What is odd in another field is kept as text.
            given_up: object key to why it is not read: it stands as one flawed record.
            times: object key to what holds for all of its records; nothing is known of others.
            keep: chooses among the records of one object, by its key.
        """
        self.n_records: Counter[str] = Counter()
        self.flaws: dict[str, str] = {}
        self.objects = objects
        self._format, self._given_up, self._keep = log_format, given_up or {}, keep
        self._wanted, self._times = wanted, times or {}

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Start a pass; the engine calls this for each query."""
        return pa.RecordBatchReader.from_batches(SCHEMA, self.batches()).__arrow_c_stream__(requested_schema)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read all objects, one after the other."""
        self.n_records.clear()
        for item in self.objects:
            for batch in self._read(item):
                self.n_records[item.key] += batch.num_rows
                flaw = batch[FLAW][-1].as_py()
                if flaw is not None and flaw.startswith(OF_THE_OBJECT):
                    self.flaws[item.key] = flaw
                yield self._keep(item.key, batch)

    def read(self, item: LocalObject) -> Iterator[pa.RecordBatch]:
        """Read one object, wherever this is; nothing is counted."""
        for batch in self._read(item):
            yield self._keep(item.key, batch)

    def _read(self, item: LocalObject) -> Iterator[pa.RecordBatch]:
        """Read one object; whatever is wrong with it, a fault of ours too, is its own flaw and stops no other."""
        of_all = self._times.get(item.key, ObjectTime())
        if (flaw := self._given_up.get(item.key, of_all.flaw)) is not None:
            yield flawed(item.key, 1, 0, "", flaw)
            return
        number = 0
        try:
            with item.path.open("rb") as stream:
                for batch in read_records(item.key, stream, self._format, self._wanted):
                    if batch.num_rows:
                        number = batch[LINE_NUMBER][-1].as_py()
                        yield with_times(batch, of_all.time, of_all.latest)
        except MemoryError:  # of the machine, not of the object
            raise
        except Exception as error:
            yield flawed(item.key, number + 1, None, "", f"{CANNOT_BE_READ}{_explain(error)}")


def _explain(error: Exception) -> str:
    """Name an error without what it says of the content, which may be a person's."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else type(error).__name__


def without_lines(batch: pa.RecordBatch, seen: Lines) -> pa.RecordBatch:
    """Leave out the records at given lines.

    Args:
        seen: whether to leave a line out, by its number; lines beyond its end stay.
    """
    numbers = batch[LINE_NUMBER].to_numpy()
    is_within = numbers < len(seen)
    return batch.filter(pa.array(~(is_within & seen[np.where(is_within, numbers, 0)]))) if len(seen) else batch
