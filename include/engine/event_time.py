"""Says when a record happened, and so which partition it belongs to.

Landing counts by these rules and the lake stages by them; two sets of rules would lose rows between them.
"""

from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from include.engine.formats.record_batches import LATEST
from include.partition_keys import partition_bounds
from include.problems.sections.source import Source

_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)
_UNITS = {"hour": "h", "day": "D", "month": "M"}
# What ISO 8601 and its relatives write, with colons or without; the engine alone would also take 'infinity', 'epoch'
# and names of zones.
_ISO_DATE = r"\d{4}(?:-\d{2}-\d{2}|\d{4})"
_ISO_CLOCK = r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?"
_ISO_ZONE = r" ?(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
_ISO_TIME = rf"^{_ISO_DATE}(?:[Tt ]{_ISO_CLOCK}(?:{_ISO_ZONE})?)?$"
# How the other forms are brought to the one that the engine reads, one after the other, once small letters are large
# ones and the comma is a point.
_TO_USUAL = (
    (r"^(\d{4})(\d{2})(\d{2})", r"\1-\2-\3"),
    (r"[T ](\d{2})(\d{2})(\d{2})", r"T\1:\2:\3"),
    (r"[T ](\d{2})(\d{2})($|[ Z+-])", r"T\1:\2\3"),
    (r"[T ](\d{2})($|[ Z+-])", r"T\1:00\2"),
    (r"(\.\d{6})\d+", r"\1"),
    (r" ([Z+-])", r"\1"),
)
_OTHER_DATE = r"^\d{4}-?(W\d{2}(-?\d)?|\d{3})([T ]|$)"
_WIDE_YEAR = r"^([+-]\d{4,}|\d{5,})-\d{2}-\d{2}"
# What most logs write. Recognised by shape alone: a third of the work of the rule above; the cast sees to the rest.
_USUAL_TIMES = ("____-__-__T__:__:__Z", "____-__-__T__:__:__.___Z", "____-__-__T__:__:__+00:00")


def parse_time(text: ir.StringValue) -> ir.TimestampValue:
    """Read a text expression as a time in UTC; null where it is not an ISO 8601 time. Without a zone it is UTC.

    Blanks around it do not matter: a row that is typed but not placed would be published in a foreign partition. What
    is finer than a microsecond is cut off.
    """
    stripped = text.strip()
    usual = stripped.upper().replace(",", ".")
    for pattern, written in _TO_USUAL:
        usual = usual.re_replace(pattern, written)
    is_usual = text.like(_USUAL_TIMES[0]) | text.like(_USUAL_TIMES[1]) | text.like(_USUAL_TIMES[2])
    return ibis.cases(
        (is_usual, text.try_cast("timestamp('UTC', 6)")),
        (stripped.re_search(_ISO_TIME), usual.try_cast("timestamp('UTC', 6)")),
        else_=ibis.null("timestamp('UTC', 6)"),
    )


def explain_no_time(text: ir.StringValue) -> ir.StringValue:
    """Say why `parse_time` does not read a text expression; null where it is not even written like a time."""
    stripped = text.strip()
    return ibis.cases(
        (stripped.re_search(_ISO_TIME), "is a time that no calendar or clock has, or a leap second"),
        (stripped.re_search(_WIDE_YEAR), "is outside of the years 0000 to 9999"),
        (stripped.re_search(_OTHER_DATE), "is a date by its week or its day of the year, which is not read"),
        else_=ibis.null("string"),
    )


def latest_of(rows: ibis.Table, source: Source) -> ir.TimestampValue:
    """Say which time is the last that a row may have: the source's, or else a day behind its object's arrival."""
    return rows[LATEST].fill_null(_LAST_MOMENT) if source.latest is None else ibis.literal(source.latest)


def is_placeable(moment: ir.TimestampValue, source: Source, latest: ir.TimestampValue) -> ir.BooleanValue:
    """Say whether a time expression can place its row: it is there, and in its range.

    Args:
        latest: from `latest_of`.
    """
    return moment.between(ibis.literal(source.earliest), latest).fill_null(False)


def is_within(
    moment: ir.TimestampValue, source: Source, partition_key: str, latest: ir.TimestampValue
) -> ir.BooleanValue:
    """Say whether a time expression places its row in one partition.

    Args:
        latest: from `latest_of`.

    Raises:
        UnknownPartitionKey: the key is not how keys of the source's grain are written.
    """
    start, end = partition_bounds(partition_key, source.grain)
    is_inside = (moment >= ibis.literal(max(start, source.earliest))) & (moment < ibis.literal(end))
    if source.latest is None or source.latest < end:
        is_inside &= moment <= latest
    return is_inside.fill_null(False)


def partition_start(moment: ir.TimestampValue, source: Source, latest: ir.TimestampValue) -> ir.TimestampValue:
    """Say when the partition of a time expression starts, in UTC without its zone; null where it cannot place its row.

    Grouping by this, and naming the groups, is a fraction of the work of naming every row's partition.
    """
    # Without its zone, which is UTC: engines differ in how they truncate a zoned time.
    start = moment.cast("timestamp(6)").truncate(_UNITS[source.grain])
    return ibis.ifelse(is_placeable(moment, source, latest), start, ibis.null("timestamp(6)"))
