"""Which windows an experiment has: one for each partition of its log, and those that only the clock brings about.

What belongs here: keys and times in, keys out. What does not: reading which partitions there are.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from include.partition_keys import partition_bounds, partition_key_of

# Rows of a partition may arrive this long after its end; only then is a window without rows one in which none came.
GRACE = timedelta(days=1)


def windows_by_clock(
    published: Sequence[str],
    grain: str,
    *,
    landed: Collection[str],
    pilot_end: datetime,
    attribution_window: timedelta,
    now: datetime,
) -> list[str]:
    """Name the windows after the newest partition in which time alone changes something.

    That is where the pilot's last unit becomes mature, and where the last unit of all does. Both follow from the log
    and the plan, so that it makes no difference when somebody looks.

    Args:
        published: partitions, oldest first; none has no window.
        grain: hour, day or month.
        landed: partitions of which anything landed; where one of them was withdrawn, the window is the next free one.
        pilot_end: units exposed before it are the pilot.
        attribution_window: how long a unit has time.
        now: a window is over when its end is a day past, UTC.

    Returns:
        0 to 2 keys behind the newest partition, oldest first.
    """
    if not published:
        return []
    moments = (pilot_end + attribution_window, partition_bounds(published[-1], grain)[1] + attribution_window)
    # A window knows what lies before its end: the one that ends at the moment already sees the unit mature.
    keys = {partition_key_of(moment - timedelta(microseconds=1), grain) for moment in moments}
    free = {_next_free(key, grain, landed) for key in keys if key > published[-1]}
    return sorted(key for key in free if partition_bounds(key, grain)[1] + GRACE <= now)


def _next_free(key: str, grain: str, landed: Collection[str]) -> str:
    """Name the first partition from a key on of which nothing landed."""
    while key in landed:
        key = partition_key_of(partition_bounds(key, grain)[1], grain)
    return key


def find_windows(
    published: Sequence[str],
    landed: Collection[str],
    passed: Collection[str],
    processed: Collection[str],
    due: Collection[str],
) -> tuple[list[str], list[str]]:
    """Name every window there should be, and those that were and must be forgotten.

    Args:
        published: the settled prefix, oldest first.
        landed: partitions of which anything landed.
        passed: of these, partitions that were refused or withdrawn, or that nobody waits for any more.
        processed: windows that were done.
        due: windows that the clock brings about now.

    Returns:
        (windows, gone), each oldest first. Gone are windows whose partition was refused or withdrawn since; one without
        a partition stays: what the clock decided, a later partition does not undo. While a partition before it is on
        its way, it is left out: on a part of the log it would decide otherwise.
    """
    gone = sorted(set(processed) & set(passed))
    waiting = min(set(landed) - set(published) - set(passed), default=None)
    by_clock = {key for key in {*processed, *due} if key not in landed and (waiting is None or key < waiting)}
    return sorted({*published, *by_clock}), gone
