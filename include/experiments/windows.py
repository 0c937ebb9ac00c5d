"""When a window of an experiment ends: the moment its sums are as of.

What belongs here: the time inside a partition key. What does not: which partitions exist.
"""

from datetime import UTC, datetime, timedelta

from include.errors import BadPartition

FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


def window_end(partition_key: str, grain: str) -> datetime:
    """Say when a partition ends; an event at this moment belongs to the next one.

    Args:
        partition_key: an hour, day or month as the grain writes it.
        grain: hour, day or month.

    Returns:
        the end, in UTC.

    Raises:
        BadPartition: the key is not one of this grain.
    """
    try:
        start = datetime.strptime(partition_key, FORMATS[grain]).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadPartition(
            f"{partition_key!r} is not a partition of grain {grain!r}; allowed is a time like "
            f"{datetime(2004, 11, 1, tzinfo=UTC).strftime(FORMATS[grain])!r}."
        ) from error
    if grain == "month":
        return datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
    return start + (timedelta(hours=1) if grain == "hour" else timedelta(days=1))
