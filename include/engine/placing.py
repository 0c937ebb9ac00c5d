"""Says when a record happened, and so which partition it belongs to.

Landing counts by these rules and the lake stages by them; two sets of rules would lose rows between them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import ibis

from include.errors import BadPartition
from include.problems.sections.source import Source

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
_UNITS = {"hour": "h", "day": "D", "month": "M"}
# What ISO 8601 and its relatives write; the engine alone would also take 'infinity', 'epoch' and names of zones.
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|z|[+-]\d{2}(:?\d{2})?))?)?$"
# What most logs write. Told by their shape alone, a third of the work of the rule above; the cast sees to the rest.
_USUAL_TIMES = ("____-__-__T__:__:__Z", "____-__-__T__:__:__.___Z", "____-__-__T__:__:__+00:00")


def parse_time(text: Any) -> Any:
    """Read a text expression as a time in UTC; null where it is not an ISO 8601 time. Without a zone it is UTC.

    Blanks around it do not matter: a row that is typed but not placed would be published in a foreign partition.
    """
    stripped = text.strip()
    is_usual = text.like(_USUAL_TIMES[0]) | text.like(_USUAL_TIMES[1]) | text.like(_USUAL_TIMES[2])
    return ibis.cases(
        (is_usual, text.try_cast("timestamp('UTC', 6)")),
        (stripped.re_search(_ISO_TIME), stripped.try_cast("timestamp('UTC', 6)")),
        else_=ibis.null("timestamp('UTC', 6)"),
    )


def is_placeable(moment: Any, source: Source) -> Any:
    """Say whether a time expression can place its row: it is there, and in its range."""
    return moment.between(ibis.literal(source.earliest), ibis.literal(source.latest)).fill_null(False)


def is_within(moment: Any, source: Source, partition_key: str) -> Any:
    """Say whether a time expression places its row in one partition."""
    start, end = partition_bounds(partition_key, source.grain)
    is_inside = (moment >= ibis.literal(max(start, source.earliest))) & (moment < ibis.literal(end))
    if source.latest < end:
        is_inside &= moment <= ibis.literal(source.latest)
    return is_inside.fill_null(False)


def partition_start(moment: Any, source: Source) -> Any:
    """Say when the partition of a time expression starts, in UTC without its zone; null where it cannot place its row.

    Grouping by this, and naming the groups, is a fraction of the work of naming every row's partition.
    """
    # Without its zone, which is UTC: engines differ in how they truncate a zoned time.
    start = moment.cast("timestamp(6)").truncate(_UNITS[source.grain])
    return ibis.ifelse(is_placeable(moment, source), start, ibis.null("timestamp(6)"))


def partition_bounds(partition_key: str, grain: str) -> tuple[datetime, datetime]:
    """Return when a partition starts, and when the next one does, in UTC."""
    start = datetime.strptime(partition_key, _FORMATS[grain]).replace(tzinfo=UTC)
    if grain == "month":
        return start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start, start + (timedelta(hours=1) if grain == "hour" else timedelta(days=1))


def partition_key_of(moment: datetime, grain: str) -> str:
    """Name the partition that one time falls in; a time without a zone is UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime(_FORMATS[grain])


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
