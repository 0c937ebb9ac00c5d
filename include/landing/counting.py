"""Reads objects and counts their records by partition, in pieces: memory does not grow with what landed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.engine.fields import extract_fields
from include.engine.objects import LocalObject, RawObject, find_replaced, local_objects
from include.engine.placing import parse_time, partition_key_of, partition_start
from include.engine.reading import Records
from include.engine.relations import count_records, relation_of_records
from include.engine.unpacking import IS_EMPTY, UNPACKS_TOO_LARGE
from include.landing.manifest import ReadObject, place_records, split_batches
from include.names import OBJECT_KEY
from include.problems.sections.source import Source
from include.settings import Settings

# Of a bucket, so much is copied to disk at once.
BATCH_BYTES = 4 << 30
HASHERS = 4  # hashing lets go of Python's lock


def count_objects(
    settings: Settings, engine: Any, source: Source, objects: Sequence[RawObject]
) -> Iterator[ReadObject]:
    """Read objects and say which partitions their records belong to.

    Yields:
        what each object holds, batch by batch; none for an object that was replaced while it was read: the next run
        reads what it is then.

    Raises:
        BadLanding: an object is gone.
    """
    for batch in split_batches(objects, BATCH_BYTES):
        with local_objects(settings, [item.key for item in batch]) as found, ThreadPoolExecutor(HASHERS) as pool:
            hashes = pool.map(LocalObject.hash, found)
            records = Records(found, source.format)
            counts = _count_by_partition(engine, source, records)
            count_records(engine, records)
            fingerprints = dict(zip((item.key for item in found), hashes, strict=True))
            replaced = set(find_replaced(found))
        for item in found:
            if item.key not in replaced:
                yield _describe(item, fingerprints[item.key], source, records, counts)


def _describe(
    item: LocalObject, fingerprint: str, source: Source, records: Records, counts: dict[str, dict[str | None, int]]
) -> ReadObject:
    """Say what one object holds; of one that is given up, all that counts is that."""
    fallback = partition_key_of(source.earliest, source.grain)
    flaw = records.flaws.get(item.key) if records.n_records[item.key] else IS_EMPTY
    n_rows: dict[str | None, int] = {None: 1} if flaw == UNPACKS_TOO_LARGE else counts.get(item.key, {})
    return place_records(item.seen, fingerprint, n_rows, fallback, flaw)


def _count_by_partition(engine: Any, source: Source, records: Records) -> dict[str, dict[str | None, int]]:
    """Count the records of a batch by object and partition; None stands for no usable time."""
    rows = extract_fields(relation_of_records(engine, records), [source.event_time])
    rows = rows.select(OBJECT_KEY, start=partition_start(parse_time(rows[source.event_time]), source))
    counted = rows.group_by([OBJECT_KEY, "start"]).aggregate(n_rows=rows.count()).to_pyarrow()
    counts: dict[str, dict[str | None, int]] = defaultdict(dict)
    for row in counted.to_pylist():
        start = row["start"]
        key = None if start is None else partition_key_of(start, source.grain)
        counts[row[OBJECT_KEY]][key] = row["n_rows"]
    return counts
