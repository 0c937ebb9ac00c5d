"""How partitions are named: data by the hour, day or month that they hold in UTC, rounds of review by their number.

What belongs here: making keys, taking them apart, their order. What does not: which partitions there are, and how rows
are placed in them (`engine/event_time.py`).
"""

import re
from datetime import UTC, datetime, timedelta

from include.errors import UnknownPartitionKey

# A key is the beginning of a time as ISO 8601 writes it: how long it is, and what makes a whole time of it again.
_LENGTHS = {"hour": len("2002-08-22T18"), "day": len("2002-08-22"), "month": len("2002-08")}
_REST = {"hour": ":00", "day": "", "month": "-01"}
_EXAMPLE = datetime(2002, 8, 22, 18, tzinfo=UTC)
_ROUND = re.compile(r"round-(\d{3,})")


def partition_key_of(moment: datetime, grain: str) -> str:
    """Name the partition that one time falls in.

    Args:
        moment: a time without a zone is UTC.
        grain: hour, day or month.
    """
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat()[: _LENGTHS[grain]]


def require_partition_key(partition_key: str, grain: str) -> None:
    """Refuse a key that a person mistyped, before a folder or a row is named after it.

    Raises:
        UnknownPartitionKey: it is not how keys of this grain are written.
    """
    partition_bounds(partition_key, grain)


def partition_bounds(partition_key: str, grain: str) -> tuple[datetime, datetime]:
    """Say when a partition starts, and when the next one does, in UTC.

    The last partition of the calendar ends with it, a microsecond early: some logs write 9999-12-31 for "never".

    Raises:
        UnknownPartitionKey: the key is not how keys of this grain are written.
    """
    try:
        start = datetime.fromisoformat(partition_key + _REST[grain])
    except ValueError:
        start = None
    # Python also reads 20020822; written out again it is another key.
    if start is None or start.isoformat()[: _LENGTHS[grain]] != partition_key:
        raise UnknownPartitionKey(
            f"Partition {partition_key!r} is no {grain}; write it like {partition_key_of(_EXAMPLE, grain)}."
        )
    start = start.replace(tzinfo=UTC)
    try:
        if grain == "month":
            return start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return start, start + (timedelta(hours=1) if grain == "hour" else timedelta(days=1))
    except (ValueError, OverflowError):
        return start, datetime.max.replace(tzinfo=UTC)


def following_partition(partition_key: str, grain: str) -> str:
    """Name the partition after one; the calendar's last is followed by itself.

    Raises:
        UnknownPartitionKey: the key is not how keys of this grain are written.
    """
    return partition_key_of(partition_bounds(partition_key, grain)[1], grain)


def round_key(number: int) -> str:
    """Name a round of review: round-001, ..., round-999, round-1000."""
    return f"round-{number:03d}"


def round_number_of(key: str) -> int | None:
    """Say which round a key names; None where it names a partition of data, or nothing."""
    found = _ROUND.fullmatch(key)
    return int(found[1]) if found and round_key(int(found[1])) == key else None


def sort_key(key: str) -> tuple[int, str]:
    """Say where a key stands among its like, the oldest first: `sorted(keys, key=sort_key)`.

    Keys of one grain are all equally long, and a round's key grows when its number gets another digit: shorter is
    older, then what comes first as text. The same holds for names of model versions, which are a key and six digits.
    In SQL: `ORDER BY length(key), key`.
    """
    return len(key), key
