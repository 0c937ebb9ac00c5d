"""Finds partitions that a stage announced and another never began with: Airflow lost the event, or was paused.

Who began with what stands in `core.run_step`: the first step of every run writes its partition there. A run that failed
has begun, and is red where somebody looks.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from include.landing.ledger import LONGEST_WAIT, LOST_AFTER
from include.names import Coverage, Stage
from include.partition_keys import sort_key
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.runs import COVERAGE, LOST_EVENT, RUN_STEP

# Airflow looks at so many waiting partitions at once; more would stand in the way of fresh ones.
MOST_AT_ONCE = 200


def claim_lost(
    connection: Connection, problem: str, announced_by: Stage, stage: Stage, now: datetime, run_id: str
) -> list[str]:
    """Name the partitions that a stage never began with, and note that they are announced again.

    A stage that is busy with others has not lost anything: its queue may be long. What was announced again has twice as
    long each time, a day at most, because a DAG that is paused hears nothing; what this very run announced is named
    again, because a run that is repeated may have died before Airflow heard of it.

    Args:
        announced_by: the stage that is done with the partitions.
        stage: the stage that should have begun with them.

    Returns:
        partition keys, oldest first, a few hundred at most.
    """
    if _is_busy(connection, problem, stage, now):
        return []
    announced = _read_announced(connection, problem, stage)
    lost = []
    for key, done_at in _read_unbegun(connection, problem, announced_by, stage, now):
        n_before, last_run_id, last_at = announced.get(key, (0, "", done_at))
        if last_at < done_at:
            n_before, last_at = 0, done_at
        is_due = now - last_at >= min(LONGEST_WAIT, LOST_AFTER * 2 ** min(n_before, 10))
        if is_due or last_run_id == run_id:
            n_announced = n_before if last_run_id == run_id else n_before + 1
            lost.append({"partition_key": key, "n_announced": n_announced})
    rows = [
        {"problem": problem, "stage": str(stage), "run_id": run_id, "announced_at_utc": now, **row}
        for row in lost[:MOST_AT_ONCE]
    ]
    upsert_rows(connection, LOST_EVENT, rows)
    return [str(row["partition_key"]) for row in rows]


def claim_all_lost(
    connection: Connection,
    problem: str,
    announced_by: Stage,
    listeners: Collection[Stage],
    now: datetime,
    run_id: str,
) -> list[str]:
    """Name the partitions that any of several stages never began with, oldest first."""
    found = (claim_lost(connection, problem, announced_by, stage, now, run_id) for stage in sorted(listeners))
    return sorted({key for keys in found for key in keys}, key=sort_key)


def _is_busy(connection: Connection, problem: str, stage: Stage, now: datetime) -> bool:
    """Say whether a step of a stage has ended a moment ago."""
    ended_at = RUN_STEP.c.started_at_utc + func.make_interval(0, 0, 0, 0, 0, 0, RUN_STEP.c.duration_s)
    query = select(func.max(ended_at)).where(RUN_STEP.c.problem == problem, RUN_STEP.c.stage == str(stage))
    last: datetime | None = connection.scalar(query)
    return last is not None and now - last < LOST_AFTER


def _read_unbegun(
    connection: Connection, problem: str, announced_by: Stage, stage: Stage, now: datetime
) -> list[tuple[str, datetime]]:
    """Read the partitions that are done in one stage and that another has not begun with since; when they were done."""
    begun = (
        select(RUN_STEP.c.run_id)
        .where(RUN_STEP.c.problem == problem, RUN_STEP.c.stage == str(stage))
        .where(RUN_STEP.c.partition_key == COVERAGE.c.partition_key)
        .where(RUN_STEP.c.started_at_utc >= COVERAGE.c.updated_at_utc)
    )
    query = (
        select(COVERAGE.c.partition_key, COVERAGE.c.updated_at_utc)
        .where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(announced_by))
        .where(COVERAGE.c.status == str(Coverage.DONE), COVERAGE.c.updated_at_utc <= now - LOST_AFTER)
        .where(~begun.exists())
        .order_by(func.length(COVERAGE.c.partition_key), COVERAGE.c.partition_key)
    )
    return [(key, done_at) for key, done_at in connection.execute(query)]


def _read_announced(connection: Connection, problem: str, stage: Stage) -> dict[str, tuple[int, str, datetime]]:
    """Read what was announced again before: how often, by which run the last time, and when."""
    query = select(
        LOST_EVENT.c.partition_key, LOST_EVENT.c.n_announced, LOST_EVENT.c.run_id, LOST_EVENT.c.announced_at_utc
    ).where(LOST_EVENT.c.problem == problem, LOST_EVENT.c.stage == str(stage))
    return {key: (n, run_id, moment) for key, n, run_id, moment in connection.execute(query)}
