"""Fetches what landing has for one partition."""

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
        is_home: whether its records without a usable time belong to this partition.
    """

    object_key: str
    is_home: bool


def find_feeds(connection: Connection, problem: str, partition_key: str) -> list[Feed]:
    """Name the objects that feed a partition, in the order that decides which of two equal rows came first."""
    query = (
        select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.home_partition == partition_key)
        .join(
            LANDING_PARTITION,
            (LANDING_PARTITION.c.problem == LANDING_OBJECT.c.problem)
            & (LANDING_PARTITION.c.object_key == LANDING_OBJECT.c.object_key),
        )
        .where(LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.partition_key == partition_key)
        .order_by(LANDING_OBJECT.c.object_key)
    )
    return [Feed(key, bool(is_home)) for key, is_home in connection.execute(query)]


def read_feeds(settings: Settings, feeds: list[Feed], log_format: str) -> pa.Table:
    """Read the raw records of a partition's objects.

    Raises:
        BadLanding: an object is gone.
    """
    return join_records(
        read_records(feed.object_key, read_object(settings, feed.object_key), log_format) for feed in feeds
    )
