"""Hands rows of the engine to a function in Python, batch by batch, and holds no more than a few of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import ibis
import pyarrow as pa

# Takes and gives batches; on Spark it travels to the workers.
BatchFunction = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
Item = TypeVar("Item")
_END: Any = object()


def stream(rows: ibis.Table, function: BatchFunction, n_at_once: int) -> Iterator[pa.RecordBatch]:
    """Give what a function makes of rows, in their order.

    The engine reads the next batch while the function works on this one, and the function works on the next while the
    caller writes this one.

    Args:
        rows: of the embedded engine.
        n_at_once: rows of a batch.
    """
    with rows.to_pyarrow_batches(chunk_size=n_at_once) as batches:
        yield from read_ahead(function(read_ahead(batches)))


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Give the items of an iterator, fetching each next one in another thread while the caller uses the last.

    All items are fetched by one thread. An error of the iterator comes where its item would have come.
    """
    items = iter(items)
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = worker.submit(next, items, _END)
            yield item
