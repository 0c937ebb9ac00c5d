"""Reads objects and counts their records by partition, in pieces: memory does not grow with what landed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import ibis

from include.engine.event_time import latest_of, partition_start
from include.engine.formats.decompression import IS_EMPTY, UNPACKS_TOO_LARGE
from include.engine.formats.fields import wanted_of
from include.engine.formats.format_recognition import AUTO, recognise_format
from include.engine.formats.object_records import Records
from include.engine.formats.object_times import Arrival, object_times
from include.engine.object_store.objects import LocalObject, RawObject, fetched_objects, find_replaced
from include.engine.relations import count_records, relation_of_records
from include.engine.text_types import TYPED_PREFIX
from include.engine.timed_fields import read_times
from include.landing.object_changes import KnownObject, ReadObject, place_records, split_batches
from include.names import OBJECT_KEY
from include.partition_keys import partition_key_of
from include.problems.sections.source import Source
from include.settings import Settings

# Of a bucket, so much is copied to disk at once.
BATCH_BYTES = 4 << 30
HASHERS = 4  # hashing lets go of Python's lock


def count_objects(
    settings: Settings,
    engine: ibis.BaseBackend,
    source: Source,
    objects: Sequence[RawObject],
    troubles: dict[str, str],
    known: Mapping[str, KnownObject] | None = None,
    now: datetime | None = None,
) -> Iterator[ReadObject]:
    """Read objects and say which partitions their records belong to.

    Args:
        troubles: takes, by object key, why an object could not be fetched; the next run tries it again.
        known: what the ledger says of objects that were read before.
        now: when they are read; what is a day later than that is a mistake where the source has no bound of its own.

    Yields:
        what each object holds, batch by batch; none for an object that was replaced while it was read: the next run
        reads what it is then.

    Raises:
        BadLanding: none of several objects can be fetched: it is landing that is away, not they.
    """
    changed_at = {item.key: item.changed_at for item in objects}
    for batch in split_batches(objects, BATCH_BYTES):
        with (
            fetched_objects(settings, [item.key for item in batch]) as (found, failed),
            ThreadPoolExecutor(HASHERS) as pool,
        ):
            if failed and not found:
                raise next(iter(failed.values()))
            troubles |= {key: str(error) for key, error in failed.items()}
            hashes = {item.key: pool.submit(item.hash) for item in found}
            arrivals = {
                item.key: Arrival(_arrived_at(item.key, changed_at[item.key], known or {}, hashes[item.key]), now)
                for item in found
            }
            times = object_times(source, arrivals)
            records = Records(found, source.format, wanted=wanted_of(source), times=times)
            counts = _count_by_partition(engine, source, records)
            count_records(engine, records)
            fingerprints = {key: coming.result() for key, coming in hashes.items()}
            replaced = set(find_replaced(found))
        for item in found:
            if item.key not in replaced:
                arrival = arrivals[item.key]
                yield _describe(item, fingerprints[item.key], source, records, counts, arrival)


def _arrived_at(
    key: str, changed_at: datetime | None, known: Mapping[str, KnownObject], fingerprint: "Future[str]"
) -> datetime | None:
    """Say when an object arrived: when it was first seen with the bytes that it has, however often it was touched."""
    before = known.get(key)
    if before is None or before.arrived_at is None or fingerprint.result() != before.fingerprint:
        return changed_at
    return before.arrived_at


def _describe(
    item: LocalObject,
    fingerprint: str,
    source: Source,
    records: Records,
    counts: dict[str, dict[str | None, int]],
    arrival: Arrival,
) -> ReadObject:
    """Say what one object holds; of one that is given up, all that counts is that."""
    # Where the source has no bounds, what cannot say when it happened lies where it arrived.
    arrived_at = arrival.read_at if source.latest is None else None
    fallback = partition_key_of(max(source.earliest, arrived_at or source.earliest), source.grain)
    flaw = records.flaws.get(item.key) if records.n_records[item.key] else IS_EMPTY
    n_rows: dict[str | None, int] = {None: 1} if flaw == UNPACKS_TOO_LARGE else counts.get(item.key, {})
    return place_records(item.seen, fingerprint, n_rows, fallback, flaw, _read_as(item, source), arrival.arrived_at)


def _read_as(item: LocalObject, source: Source) -> str | None:
    """Say which format an object was read in; None where it cannot be opened."""
    if source.format != AUTO:
        return source.format
    with suppress(OSError), item.path.open("rb") as stream:
        return recognise_format(stream, wanted_of(source).names)
    return None


def _count_by_partition(engine: ibis.BaseBackend, source: Source, records: Records) -> dict[str, dict[str | None, int]]:
    """Count the records of a batch by object and partition; None stands for no usable time."""
    rows = read_times(relation_of_records(engine, records), source)
    moment = rows[f"{TYPED_PREFIX}{source.event_time}"]
    rows = rows.select(OBJECT_KEY, start=partition_start(moment, source, latest_of(rows, source)))
    counted = rows.group_by([OBJECT_KEY, "start"]).aggregate(n_rows=rows.count()).to_pyarrow()
    counts: dict[str, dict[str | None, int]] = defaultdict(dict)
    for row in counted.to_pylist():
        start = row["start"]
        key = None if start is None else partition_key_of(start, source.grain)
        counts[row[OBJECT_KEY]][key] = row["n_rows"]
    return counts
