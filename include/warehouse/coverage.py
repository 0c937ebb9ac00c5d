"""Which partition reached which stage; what Airflow loses is found here.

What belongs here: reading and writing `core.coverage`. What does not: what a stage does with the answer.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from include.names import Coverage, Stage
from include.partition_keys import sort_key
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.runs import COVERAGE

SETTLED = (Coverage.DONE, Coverage.REFUSED)
# Three runs of three tries each, an hour at least: what fails so long, and never brought a row, holds up nobody.
MOST_FAILURES = 9
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
    changed: dict[str, object] = {name: statement.excluded[name] for name in ("status", "detail", "run_id")}
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


def read_group(connection: Connection, problem: str, partition_key: str, run_id: str) -> list[str]:
    """Name a partition, and the others that its ingest run takes along and that are not done yet, oldest first."""
    taken_along = select(COVERAGE.c.partition_key).where(
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(Stage.INGEST),
        COVERAGE.c.group_key == partition_key,
        COVERAGE.c.status != str(Coverage.DONE),
        # What another run is at stays its own; if that one dies, `land` lets it wait again.
        or_(COVERAGE.c.status != str(Coverage.RUNNING), COVERAGE.c.run_id == run_id),
    )
    return sorted({partition_key, *connection.scalars(taken_along)}, key=sort_key)


def settled_by(connection: Connection, problem: str, stage: Stage, run_id: str) -> list[str]:
    """Name the partitions that a run settled in a stage, oldest first."""
    query = select(COVERAGE.c.partition_key).where(
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(stage),
        COVERAGE.c.run_id == run_id,
        COVERAGE.c.status.in_([str(status) for status in SETTLED]),
    )
    return sorted(connection.scalars(query), key=sort_key)


def done_partitions(connection: Connection, problem: str, stage: Stage) -> list[str]:
    """Name the partitions that finished a stage with their data in place, oldest first."""
    return [key for key, status in read_statuses(connection, problem, stage).items() if status == Coverage.DONE]


def settled_prefix(connection: Connection, problem: str) -> list[str]:
    """Name the published partitions up to the first one that landed but is not settled yet, oldest first.

    Partitions arrive in any order; what needs the past whole (a training, a running experiment) reads only so far.
    Those that `passed_partitions` names are left out, and do not hold up the rest.
    """
    landed = read_statuses(connection, problem, Stage.LAND)
    ingested = read_statuses(connection, problem, Stage.INGEST)
    passed = passed_partitions(connection, problem)
    prefix: list[str] = []
    for key in sorted(landed):
        if ingested.get(key) != Coverage.DONE and key not in passed:
            break
        if key not in passed:
            prefix.append(key)
    return prefix


def passed_partitions(connection: Connection, problem: str) -> dict[str, str]:
    """Name the partitions that nobody waits for, oldest first, each with the reason.

    They were refused or withdrawn; or their ingest failed again and again, and nothing of them was ever published: if
    it ever succeeds, they are taken in as late ones are.
    """
    ever_published = (
        select(PARTITION_AUDIT.c.run_id)
        .where(PARTITION_AUDIT.c.problem == COVERAGE.c.problem)
        .where(PARTITION_AUDIT.c.partition_key == COVERAGE.c.partition_key)
        .where(or_(PARTITION_AUDIT.c.n_in_lake > 0, PARTITION_AUDIT.c.verdict.like("published%")))
        .exists()
    )
    is_hopeless = and_(COVERAGE.c.n_failures >= MOST_FAILURES, COVERAGE.c.status != str(Coverage.DONE), ~ever_published)
    query = select(COVERAGE.c.partition_key, COVERAGE.c.status, COVERAGE.c.detail, COVERAGE.c.n_failures).where(
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(Stage.INGEST),
        or_(COVERAGE.c.status == str(Coverage.REFUSED), is_hopeless),
    )
    passed = {}
    for row in sorted(connection.execute(query), key=lambda row: sort_key(row.partition_key)):
        failed = f"failed {row.n_failures} times and brought no row yet: "
        passed[row.partition_key] = f"{'' if row.status == Coverage.REFUSED else failed}{row.detail or 'refused'}"
    return passed
