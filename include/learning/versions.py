"""Names of model versions and of what they serve: a training point, and six digits of what was fitted.

What belongs here: taking names apart, with the standard library alone. What does not: making them (`naming.py`).
"""

from datetime import datetime, timedelta

from include.errors import BadPartition

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


def point_of(model_version: str) -> str:
    """Give the training point of a version's name."""
    return model_version.rsplit("-", 1)[0]


def seed_of(model_version: str, seed: int) -> list[int]:
    """Give the seed of a version's resamples: the problem's own, and the digits of its name."""
    return [seed, int(model_version.rsplit("-", 1)[1], 16)]


def following_partition(partition_key: str, grain: str) -> str:
    """Name the partition after one.

    Args:
        partition_key: 2013-06-30T23, 2013-06-30 or 2013-06.
        grain: hour, day or month.

    Raises:
        BadPartition: the key does not fit the grain.
    """
    pattern = _FORMATS[grain]
    try:
        start = datetime.strptime(partition_key, pattern)  # noqa: DTZ007 - a key has no zone; all keys are UTC
    except ValueError as error:
        raise BadPartition(f"Partition key {partition_key!r} does not fit the grain {grain} ({pattern}).") from error
    # 32 days after the first of a month lie in the next month, whatever its length.
    step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=32)}[grain]
    return (start + step).strftime(pattern)
