"""Cuts batches of rows where the partition changes: rows of one partition lie side by side.

Light to import: Spark's workers write the files of partitions with it.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import pyarrow as pa
import pyarrow.compute as pc

from include.names import PARTITION_KEY


def partition_runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Give the rows of one partition after the other; each must be used up before the next is asked for.

    Args:
        batches: with `_partition_key`.
    """
    pieces = (piece for batch in batches for piece in _pieces(batch))
    for key, run in groupby(pieces, key=itemgetter(0)):
        yield key, (piece for _, piece in run)


def _pieces(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Cut one batch where the partition changes."""
    runs = pc.run_end_encode(batch[PARTITION_KEY])
    start = 0
    for end, key in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield key, batch.slice(start, end - start)
        start = end
