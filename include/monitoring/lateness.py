"""Which partitions should have landed by now, and did not: what nobody sees who only looks at what comes.

What belongs here: the calendar against what arrived. What does not: when it is looked at, and who is told.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from include.partition_keys import following_partition, partition_bounds, partition_key_of

Alert = dict[str, Any]
LATE = "late"
# So many partitions back from now are watched: a month and a half of hours, three years of days.
MOST_WATCHED = 1000
# So many of those that are late are rows of their own, the newest ones; the sentence counts all.
MOST_LISTED = 100
_LONGEST = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}


def due_partitions(first: str, grain: str, *, within: timedelta, now: datetime) -> list[tuple[str, datetime]]:
    """Name the partitions that have to be there by now, oldest first, each with the time from which it was due.

    Args:
        first: the oldest partition that ever landed; what was before it, nobody promised.
        grain: hour, day or month.
        within: promised time after a partition's end.
        now: with a zone.

    Returns:
        at most the newest `MOST_WATCHED`; none while the clock is before the first one's time.

    Raises:
        UnknownPartitionKey: `first` is not how keys of this grain are written.
    """
    if now <= partition_bounds(first, grain)[0]:
        return []
    key = max(first, partition_key_of(now - MOST_WATCHED * _LONGEST[grain], grain))
    due = []
    while (due_at := partition_bounds(key, grain)[1] + within) <= now:
        due.append((key, due_at))
        key = following_partition(key, grain)
    return due[-MOST_WATCHED:]


def late_alerts(
    problem: str,
    landed: Collection[str],
    grain: str,
    *,
    within: timedelta,
    since: datetime,
    now: datetime,
    action: str,
    closed: str = "",
) -> list[Alert]:
    """Say which partitions are late: one row of `core.alert` for each, of one cause and with one sentence.

    Args:
        landed: partitions that ever landed; without any, nobody knows from when on others were promised.
        since: when the problem's landing was first looked at. What lies before the partition of that moment is
            history, which may have gaps, and rows with a wrong time; nobody promised it.
        grain, within, now: as in `due_partitions`.
        action: what the alert asks for.
        closed: newest partition that a person knew of when they closed the alert; empty where nobody has.

    Returns:
        rows of `core.alert` without their time, oldest first; the same for hours, while nothing lands or falls due.

    Raises:
        UnknownPartitionKey: a key is not how keys of this grain are written.
    """
    if not landed:
        return []
    first = max(min(landed), partition_key_of(since, grain))
    due = [one for one in due_partitions(first, grain, within=within, now=now) if one[0] > closed]
    late = [(key, due_at) for key, due_at in due if key not in landed]
    if not late:
        return []
    oldest, due_since = late[0]
    message = (
        f"{problem}: {len(late)} of {len(due)} partitions that were due have not landed. The oldest is {oldest}, due "
        f"since {due_since:%Y-%m-%d %H:%M} UTC ({within} after its end). Look at `{problem}__land` and at the sender."
    )
    listed = late[-MOST_LISTED:]
    figures = {"metric": "n_late", "value": float(len(late)), "bound": 0.0}
    findings = [{"subject": key, "metric": "n_late", "value": 1.0, "bound": 0.0} for key, _ in listed]
    about = {"problem": problem, "alert_id": LATE, "subject": oldest, "action": action, "message": message}
    return [about | figures | {"partition_key": key, "findings": findings, "n_watched": len(due)} for key, _ in listed]
