"""Reads objects and counts their records by partition: one query a batch."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.engine.fields import extract_fields
from include.engine.objects import RawObject, read_object
from include.engine.placing import PLACED_KEY, add_partition_key, partition_key_of
from include.engine.records import join_records, read_records
from include.landing.manifest import ReadObject, place_records, split_batches
from include.names import OBJECT_KEY
from include.problems.sections.source import Source
from include.settings import Settings

# Logs unpack to ten or twenty times their size; a batch stays under a gigabyte of memory.
BATCH_BYTES = 32 << 20
READERS = 4  # unpacking lets go of Python's lock, and a bucket answers several at once


def count_objects(
    settings: Settings, engine: Any, source: Source, objects: Sequence[RawObject]
) -> Iterator[ReadObject]:
    """Read objects and say which partitions their records belong to.

    Yields:
        what each object holds, batch by batch.

    Raises:
        BadLanding: an object is gone.
    """
    fallback = partition_key_of(source.earliest, source.grain)
    with ThreadPoolExecutor(READERS) as pool:
        for batch in split_batches(objects, BATCH_BYTES):
            contents = list(pool.map(lambda item: read_object(settings, item.key), batch))
            counts = _count_by_partition(engine, pool, source, [item.key for item in batch], contents)
            for item, content in zip(batch, contents, strict=True):
                fingerprint = hashlib.sha256(content).hexdigest()
                yield place_records(item, fingerprint, counts[item.key], fallback)


def _count_by_partition(
    engine: Any, pool: ThreadPoolExecutor, source: Source, keys: Sequence[str], contents: Sequence[bytes]
) -> dict[str, dict[str | None, int]]:
    """Count the records of a batch by object and partition; None stands for no usable time."""
    records = join_records(pool.map(lambda key, content: read_records(key, content, source.format), keys, contents))
    rows = add_partition_key(extract_fields(engine, records, [source.event_time]), source)
    counted = rows.group_by([OBJECT_KEY, PLACED_KEY]).aggregate(n_rows=rows.count()).to_pyarrow()
    counts: dict[str, dict[str | None, int]] = defaultdict(dict)
    for row in counted.to_pylist():
        counts[row[OBJECT_KEY]][row[PLACED_KEY]] = row["n_rows"]
    return counts
