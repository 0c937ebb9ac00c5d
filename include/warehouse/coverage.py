"""Which partition reached which stage; what Airflow loses is found here.

What belongs here: reading and writing `core.coverage`. What does not: what a stage does with the answer.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from include.names import Coverage, Stage
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.runs import COVERAGE

SETTLED = (Coverage.DONE, Coverage.REFUSED)
# Stages whose last step says that a partition is done. In the others a row that says "running" would stay for ever.
TRACKED = (Stage.INGEST, Stage.EXPERIMENT, Stage.MONITOR)


def mark(
    connection: Connection,
    problem: str,
    stage: Stage,
    partition_key: str,
    status: Coverage,
    *,
    detail: str | None = None,
    run_id: str | None = None,
) -> None:
    """Write how far one partition came."""
    row = {
        "problem": problem,
        "stage": str(stage),
        "partition_key": partition_key,
        "status": str(status),
        "detail": detail,
        "run_id": run_id,
        "n_failures": 0,
        "updated_at_utc": datetime.now(UTC),
    }
    upsert_rows(connection, COVERAGE, [row])


def mark_running(connection: Connection, problem: str, stage: Stage, partition_key: str, run_id: str) -> None:
    """Write that a partition is being worked on, unless it is done: what is done stays usable while it is done again.

    A run that was cleared replaces a partition by itself. If it looked unfinished meanwhile, a training that reads it
    at that moment would miss its rows.
    """
    row = {
        "problem": problem,
        "stage": str(stage),
        "partition_key": partition_key,
        "status": str(Coverage.RUNNING),
        "detail": None,
        "run_id": run_id,
        "updated_at_utc": datetime.now(UTC),
    }
    statement = upsert(COVERAGE).values(row)
    changed = {name: statement.excluded[name] for name in ("status", "detail", "run_id", "updated_at_utc")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["problem", "stage", "partition_key"],
            set_=changed,
            where=COVERAGE.c.status != str(Coverage.DONE),
        )
    )


def mark_failed(
    connection: Connection, problem: str, stage: Stage, partition_key: str, *, detail: str, run_id: str
) -> None:
    """Write that a step failed, unless the partition is settled: what is done, or refused, stays so."""
    row = {
        "problem": problem,
        "stage": str(stage),
        "partition_key": partition_key,
        "status": str(Coverage.FAILED),
        "detail": detail,
        "run_id": run_id,
        "updated_at_utc": datetime.now(UTC),
        "n_failures": 1,
    }
    statement = upsert(COVERAGE).values(row)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in ("status", "detail", "run_id")}
    changed |= {"updated_at_utc": statement.excluded.updated_at_utc, "n_failures": COVERAGE.c.n_failures + 1}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["problem", "stage", "partition_key"],
            set_=changed,
            where=COVERAGE.c.status.not_in([str(status) for status in SETTLED]),
        )
    )


def lift_failure(connection: Connection, problem: str, stage: Stage, partition_key: str) -> None:
    """Take back that a step failed, now that it, or one before it, went through."""
    ours = (
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(stage),
        COVERAGE.c.partition_key == partition_key,
        COVERAGE.c.status == str(Coverage.FAILED),
    )
    if stage in TRACKED:
        connection.execute(update(COVERAGE).where(*ours).values(status=str(Coverage.RUNNING), detail=None))
    else:
        connection.execute(delete(COVERAGE).where(*ours))


def read_statuses(connection: Connection, problem: str, stage: Stage) -> dict[str, Coverage]:
    """Read the status of every partition of one stage, in the order of the partitions."""
    query = (
        select(COVERAGE.c.partition_key, COVERAGE.c.status)
        .where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(stage))
        .order_by(COVERAGE.c.partition_key)
    )
    return {key: Coverage(status) for key, status in connection.execute(query)}


def done_partitions(connection: Connection, problem: str, stage: Stage) -> list[str]:
    """Name the partitions that finished a stage with their data in place, oldest first."""
    return [key for key, status in read_statuses(connection, problem, stage).items() if status == Coverage.DONE]


def settled_prefix(connection: Connection, problem: str) -> list[str]:
    """Name the published partitions up to the first one that landed but is not settled yet, oldest first.

    Partitions arrive in any order; what needs the past whole (a training, a running experiment) reads only so far.
    A refused partition is settled: it is left out, and does not hold up the rest.
    """
    landed = read_statuses(connection, problem, Stage.LAND)
    ingested = read_statuses(connection, problem, Stage.INGEST)
    prefix: list[str] = []
    for key in sorted(landed):
        status = ingested.get(key)
        if status not in SETTLED:
            break
        if status == Coverage.DONE:
            prefix.append(key)
    return prefix
