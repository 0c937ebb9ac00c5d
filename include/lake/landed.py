"""Fetches what landing has for one partition."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, select

from include.engine.objects import read_object
from include.engine.records import join_records, read_records
from include.settings import Settings
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION


@dataclass(frozen=True)
class Feed:
    """One object that feeds a partition.

    Attributes:
        object_key: path below the landing URL.
        fingerprint: sha256 of its bytes when landing counted it.
        is_home: whether its records without a usable time belong to this partition.
    """

    object_key: str
    fingerprint: str
    is_home: bool


def find_feeds(connection: Connection, problem: str, partition_key: str) -> list[Feed]:
    """Name the objects that feed a partition, in the order that decides which of two equal rows came first."""
    query = (
        select(
            LANDING_OBJECT.c.object_key,
            LANDING_OBJECT.c.fingerprint,
            LANDING_OBJECT.c.home_partition == partition_key,
        )
        .join(
            LANDING_PARTITION,
            (LANDING_PARTITION.c.problem == LANDING_OBJECT.c.problem)
            & (LANDING_PARTITION.c.object_key == LANDING_OBJECT.c.object_key),
        )
        .where(LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.partition_key == partition_key)
        .order_by(LANDING_OBJECT.c.object_key)
    )
    return [Feed(key, fingerprint, bool(is_home)) for key, fingerprint, is_home in connection.execute(query)]


def hash_feeds(feeds: Sequence[Feed]) -> str:
    """Hash what landing has for a partition; another hash later means that more, or something else, has landed."""
    lines = "".join(f"{feed.fingerprint} {feed.is_home} {feed.object_key}\n" for feed in feeds)
    return hashlib.sha256(lines.encode()).hexdigest()


def read_feeds(settings: Settings, feeds: list[Feed], log_format: str) -> pa.Table:
    """Read the raw records of a partition's objects.

    Raises:
        BadLanding: an object is gone.
    """
    return join_records(
        read_records(feed.object_key, read_object(settings, feed.object_key), log_format) for feed in feeds
    )
