"""Fetches what landing has for one partition, and says afterwards exactly what that was."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, literal, select, update

from include.engine.formats.decompression import UNPACKS_TOO_LARGE
from include.engine.formats.fields import wanted_of
from include.engine.formats.object_records import Records
from include.engine.formats.object_times import Arrival, ObjectTime, object_times
from include.engine.object_store.objects import LocalObject, find_replaced, local_objects
from include.errors import BadLanding
from include.names import LINE_NUMBER, Stage
from include.problems.sections.source import Source
from include.settings import Settings
from include.warehouse.coverage import read_statuses
from include.warehouse.database import open_warehouse
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.withdrawals import is_withdrawn


@dataclass(frozen=True)
class Feed:
    """One object that feeds a partition.

    Attributes:
        object_key: path below the landing URL.
        size_bytes: size when landing counted it.
        version: the store's etag, or the file's time of change, when landing counted it.
        fingerprint: sha256 of its bytes when landing counted it.
        n_rows: its records that belong to this partition, as landing counted them.
        is_home: whether its records without a usable time belong to this partition.
        flaw: what landing found wrong with the object as a whole.
        arrived_at: when its bytes were last written, as their store says; None where nobody wrote it down.
        read_at: when landing counted it.
    """

    object_key: str
    size_bytes: int
    version: str
    fingerprint: str
    n_rows: int
    is_home: bool
    flaw: str | None
    arrived_at: datetime | None = None
    read_at: datetime | None = None


def find_feeds(connection: Connection, problem: str, partition_key: str) -> list[Feed]:
    """Name the objects that feed a partition, in the order that decides which of two equal rows came first.

    What was withdrawn feeds none.
    """
    query = (
        select(
            LANDING_OBJECT.c.object_key,
            LANDING_OBJECT.c.size_bytes,
            LANDING_OBJECT.c.version,
            LANDING_OBJECT.c.fingerprint,
            LANDING_PARTITION.c.n_rows,
            LANDING_OBJECT.c.home_partition == partition_key,
            LANDING_OBJECT.c.flaw,
            LANDING_OBJECT.c.arrived_at_utc,
            LANDING_OBJECT.c.seen_at_utc,
        )
        .join(
            LANDING_PARTITION,
            (LANDING_PARTITION.c.problem == LANDING_OBJECT.c.problem)
            & (LANDING_PARTITION.c.object_key == LANDING_OBJECT.c.object_key),
        )
        .where(LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.partition_key == partition_key)
        .where(~is_withdrawn())
        .order_by(LANDING_OBJECT.c.object_key)
    )
    return [Feed(*row) for row in connection.execute(query)]


def join_feeds(feeds: Iterable[Sequence[Feed]]) -> list[Feed]:
    """Name the objects that feed any of some partitions, each once, in their order."""
    return sorted({feed.object_key: feed for fed in feeds for feed in fed}.values(), key=attrgetter("object_key"))


def all_feeds(connection: Connection, problem: str) -> list[Feed]:
    """Name every object that landed for a problem, once; counts are of the whole object."""
    names = ("object_key", "size_bytes", "version", "fingerprint", "n_rows")
    columns = [LANDING_OBJECT.c[name] for name in names] + [literal(True), LANDING_OBJECT.c.flaw]
    columns += [LANDING_OBJECT.c.arrived_at_utc, LANDING_OBJECT.c.seen_at_utc]
    query = select(*columns).where(LANDING_OBJECT.c.problem == problem).order_by(LANDING_OBJECT.c.object_key)
    return [Feed(*row) for row in connection.execute(query)]


def has_landed(connection: Connection, problem: str, partition_key: str) -> bool:
    """Say whether anything ever landed for a partition, whether it is there still or lies in another one now."""
    return partition_key in read_statuses(connection, problem, Stage.LAND)


def hash_feeds(feeds: Sequence[Feed]) -> str:
    """Hash what landing has for a partition; another hash later means that more, or something else, has landed."""
    lines = "".join(f"{feed.fingerprint} {feed.is_home} {feed.object_key}\n" for feed in feeds)
    return hashlib.sha256(lines.encode()).hexdigest()


@contextmanager
def fetch_feeds(settings: Settings, feeds: Sequence[Feed]) -> Iterator[list[LocalObject]]:
    """Give a partition's objects as files on disk for the time of the block.

    Raises:
        BadLanding: an object is gone, or is not the one that landing counted, before the block or at its end.
    """
    counted = {feed.object_key: feed for feed in feeds}
    with local_objects(settings, list(counted)) as objects:
        changed = [item.key for item in objects if not _is_counted(item, counted[item.key])]
        _refuse_changed(settings, changed, len(objects))
        yield objects
        _refuse_changed(settings, find_replaced(objects), len(objects))


def chosen_records(
    objects: Sequence[LocalObject],
    source: Source,
    lines: Mapping[str, Sequence[int]],
    not_read: Mapping[str, str],
    times: Mapping[str, ObjectTime] | None = None,
) -> Records:
    """Open just some records again.

    Args:
        objects: from `fetch_feeds`.
        lines: object key to the line numbers that are wanted; an object that is not named is not read.
        not_read: from `given_up`.
        times: from `times_of`.
    """
    wanted = {key: np.asarray(numbers, np.int64) for key, numbers in lines.items() if len(numbers)}

    def choose(key: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(pa.array(np.isin(batch[LINE_NUMBER].to_numpy(), wanted[key])))

    chosen = [item for item in objects if item.key in wanted]
    return Records(chosen, source.format, wanted=wanted_of(source), given_up=not_read, times=times, keep=choose)


def times_of(source: Source, feeds: Sequence[Feed]) -> dict[str, ObjectTime]:
    """Say by object key what holds for the time of all of its records."""
    return object_times(source, {feed.object_key: Arrival(feed.arrived_at, feed.read_at) for feed in feeds})


def given_up(feeds: Sequence[Feed]) -> dict[str, str]:
    """Name the objects that are not read at all, with the reason: they would fill every disk."""
    return {feed.object_key: feed.flaw for feed in feeds if feed.flaw == UNPACKS_TOO_LARGE}


def _is_counted(item: LocalObject, feed: Feed) -> bool:
    """Say whether an object is the one that landing counted; one that was only touched still is."""
    is_same = (item.seen.version, item.seen.size_bytes) == (feed.version, feed.size_bytes)
    return is_same or item.hash() == feed.fingerprint


def _refuse_changed(settings: Settings, keys: Sequence[str], n_objects: int) -> None:
    """Refuse to mix what landing counted with what lies there now, and let `land` look again whatever it remembers.

    Raises:
        BadLanding: an object was replaced since.
    """
    if keys:
        with open_warehouse(settings).begin() as connection:
            connection.execute(
                update(LANDING_OBJECT).where(is_one_of(LANDING_OBJECT.c.object_key, keys)).values(version="")
            )
        raise BadLanding(
            f"{len(keys)} of {n_objects} objects of this partition were replaced since landing counted them, the first "
            f"is {keys[0]}. Nothing was staged; `land` finds the new version at its next run and announces the "
            "partition again."
        )
