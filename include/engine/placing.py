"""Says when a record happened, and so which partition it belongs to.

Landing counts by these rules and the lake stages by them; two sets of rules would lose rows between them.
"""

from datetime import UTC, datetime
from typing import Any

import ibis

from include.errors import BadPartition
from include.problems.sections.source import Source

PLACED_KEY = "_placed_key"

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
# What ISO 8601 and its relatives write; the engine alone would also take 'infinity', 'epoch' and names of zones.
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|z|[+-]\d{2}(:?\d{2})?))?)?$"


def parse_time(text: Any) -> Any:
    """Read a text expression as a time in UTC; null where it is not an ISO 8601 time. Without a zone it is UTC.

    Blanks around it do not matter: a row that is typed but not placed would be published in a foreign partition.
    """
    text = text.strip()
    return ibis.ifelse(
        text.re_search(_ISO_TIME), text.try_cast("timestamp('UTC', 6)"), ibis.null("timestamp('UTC', 6)")
    )


def add_partition_key(rows: ibis.Table, source: Source) -> ibis.Table:
    """Add the partition that each row's event time falls in.

    Args:
        rows: have the event time as text.

    Returns:
        `rows` with the column `_placed_key`; null where the event time is missing, unreadable or out of its range.
    """
    moment = parse_time(rows[source.event_time])
    is_placeable = moment.between(ibis.literal(source.earliest), ibis.literal(source.latest))
    # Without its zone, which is UTC: engines differ in how they write out a zoned time.
    key = moment.cast("timestamp(6)").strftime(_FORMATS[source.grain])
    return rows.mutate(**{PLACED_KEY: ibis.ifelse(is_placeable, key, ibis.null("string"))})


def partition_key_of(moment: datetime, grain: str) -> str:
    """Name the partition that one time falls in."""
    return moment.astimezone(UTC).strftime(_FORMATS[grain])


def require_partition_key(partition_key: str, grain: str) -> None:
    """Refuse a key that a person mistyped, before a folder or a row is named after it.

    Raises:
        BadPartition: it is not how keys of this grain are written.
    """
    example = datetime(2002, 8, 22, 18, tzinfo=UTC)
    try:
        # Python also reads 2002-8; written out again it is another key.
        moment = datetime.strptime(partition_key, _FORMATS[grain])  # noqa: DTZ007 - a key has no zone; all are UTC
        fits = moment.isoformat().startswith(partition_key)
    except ValueError:
        fits = False
    if not fits:
        raise BadPartition(
            f"Partition {partition_key!r} is no {grain}; write it like {partition_key_of(example, grain)}."
        )
