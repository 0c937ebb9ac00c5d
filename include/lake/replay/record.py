"""Keeps who had quarantined rows replayed, when, why, and what came of it.

What does not belong here: replaying them (`replay/merge.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update

from include.errors import BadForm, LakeConflict
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.quality import REJECTED_RECORD, REPLAY

WAITING, NOTHING = "waiting", "nothing"
PUBLISHING = ("published", "published_with_warnings")


def count_quarantined(connection: Connection, problem: str) -> dict[str, int]:
    """Read how many rows each partition has in quarantine, for those that have some, oldest first."""
    ours = REJECTED_RECORD.c.problem == problem
    query = select(REJECTED_RECORD.c.partition_key, func.sum(REJECTED_RECORD.c.n_rows)).where(ours)
    rows = connection.execute(query.group_by(REJECTED_RECORD.c.partition_key).order_by(REJECTED_RECORD.c.partition_key))
    return {key: int(n_rows) for key, n_rows in rows}


def record_request(
    connection: Connection,
    key: Mapping[str, str],
    n_tried: int,
    asked: Mapping[str, str],
    why_not: str | None,
    now: datetime,
) -> None:
    """Write that somebody wants a partition's rows replayed; what the run has published before stays written.

    Args:
        key: `problem`, `partition_key` and `run_id`.
        n_tried: rows in quarantine.
        asked: `actor` and `reason`.
        why_not: why there is nothing to do; None when there is.
    """
    before = _find(connection, key)
    if before is not None and before["verdict"] in PUBLISHING:
        return
    row = {
        **key,
        **asked,
        "verdict": WAITING if why_not is None else NOTHING,
        "first_reason": why_not,
        "n_tried": n_tried,
        "n_published": 0,
        "n_quarantined": n_tried,
        "n_duplicate": 0,
        "replayed_at_utc": now,
        "announced_at_utc": None,
    }
    upsert_rows(connection, REPLAY, [row])


def read_request(connection: Connection, key: Mapping[str, str]) -> RowMapping:
    """Read what a run is to do with a partition, or has done.

    Raises:
        BadForm: nobody asked for it.
    """
    row = _find(connection, key)
    if row is None:
        raise BadForm(
            f"Run {key['run_id']} was not asked to replay rows of {key['problem']} {key['partition_key']}. "
            "Start the DAG `replay`, whose form says which partitions, and why."
        )
    return row


def record_outcome(
    connection: Connection, key: Mapping[str, str], outcome: Mapping[str, object], now: datetime
) -> None:
    """Write what came of a partition's rows.

    Args:
        outcome: `verdict`, `first_reason`, and where rows moved their counts.
    """
    connection.execute(update(REPLAY).where(*_is(key)).values(**outcome, replayed_at_utc=now))


def published_replays(connection: Connection, problem: str, partition_key: str) -> list[str]:
    """Name the runs that have published rows of a partition's quarantine."""
    ours = (REPLAY.c.problem == problem, REPLAY.c.partition_key == partition_key, REPLAY.c.verdict.in_(PUBLISHING))
    return list(connection.scalars(select(REPLAY.c.run_id).where(*ours).order_by(REPLAY.c.run_id)))


def require_none_since(problem: str, partition_key: str, before: Sequence[str], now: Sequence[str]) -> None:
    """Check that no replay has published since an ingest read the partition, perhaps by rules that were mended since.

    Args:
        before, now: runs that had published when the partition was staged, and that have by now.

    Raises:
        LakeConflict: one has.
    """
    since = sorted(set(now) - set(before))
    if since:
        raise LakeConflict(
            f"{problem} {partition_key}: rows of its quarantine were replayed (by {since[0]}) after this run "
            "read the partition, and publishing would take them back. Nothing was changed; clear `stage_partition` and "
            "what follows it."
        )


def note_announced(connection: Connection, problem: str, run_id: str, now: datetime) -> list[str]:
    """Name the partitions that a run has published, oldest first, and write that downstream is told of them now."""
    ours = (REPLAY.c.problem == problem, REPLAY.c.run_id == run_id, REPLAY.c.verdict.in_(PUBLISHING))
    connection.execute(update(REPLAY).where(*ours, REPLAY.c.announced_at_utc.is_(None)).values(announced_at_utc=now))
    query = select(REPLAY.c.partition_key).where(*ours).order_by(REPLAY.c.partition_key)
    return list(connection.scalars(query))


def _find(connection: Connection, key: Mapping[str, str]) -> RowMapping | None:
    """Read the row of one partition and run."""
    return connection.execute(select(REPLAY).where(*_is(key))).mappings().one_or_none()


def _is(key: Mapping[str, str]) -> Sequence[ColumnElement[bool]]:
    """Select the row of one partition and run."""
    return [REPLAY.c[name] == value for name, value in key.items()]
