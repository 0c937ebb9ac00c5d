"""Keeps which objects were read and which partitions they feed, in the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from include.landing.manifest import ReadObject
from include.names import Coverage, Stage
from include.warehouse.coverage import SETTLED, mark, read_statuses
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.runs import COVERAGE

# A partition that waits or runs for so long was lost, with its event or its worker; a month of logs takes seconds.
LOST_AFTER = timedelta(minutes=15)


def read_known(connection: Connection, problem: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read version and fingerprint of every object that was read before, by object key."""
    query = select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.version, LANDING_OBJECT.c.fingerprint).where(
        LANDING_OBJECT.c.problem == problem
    )
    rows = connection.execute(query).all()
    return {key: version for key, version, _ in rows}, {key: fingerprint for key, _, fingerprint in rows}


def store_objects(
    connection: Connection,
    problem: str,
    objects: Sequence[ReadObject],
    known_fingerprints: Mapping[str, str],
    now: datetime,
    run_id: str,
) -> set[str]:
    """Store what was read, and put every partition that it changes back to waiting.

    Returns:
        the partitions that objects with new bytes feed now or fed before.
    """
    upsert_rows(connection, LANDING_OBJECT, [_object_row(problem, item, now) for item in objects])
    changed = [item for item in objects if known_fingerprints.get(item.seen.key) != item.fingerprint]
    keys = [item.seen.key for item in changed]
    of_changed = (LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.object_key.in_(keys))
    before = set(connection.scalars(select(LANDING_PARTITION.c.partition_key).where(*of_changed)))
    connection.execute(delete(LANDING_PARTITION).where(*of_changed))
    rows = [
        {"problem": problem, "partition_key": key, "object_key": item.seen.key, "n_rows": n}
        for item in changed
        for key, n in item.n_rows.items()
    ]
    upsert_rows(connection, LANDING_PARTITION, rows)
    fed = before | {str(row["partition_key"]) for row in rows}
    for key in sorted(fed):
        mark(connection, problem, Stage.LAND, key, Coverage.DONE, run_id=run_id)
        # In the same transaction: if the announcement is lost, the next run finds the partition waiting.
        mark(connection, problem, Stage.INGEST, key, Coverage.WAITING, detail="new objects landed", run_id=run_id)
    return fed


def claim_unsettled(connection: Connection, problem: str, now: datetime, run_id: str) -> set[str]:
    """Name the partitions that landed, and whose announcement or ingest was lost, and note that they wait anew.

    Without the note every later run would announce them again, too, while they queue for an ingest.
    What another run announced a moment ago is on its way: announcing it again would only ingest it twice. What this
    very run announced is named again, because a run that is repeated may have died before Airflow heard of it.
    """
    landed = read_statuses(connection, problem, Stage.LAND)
    query = (
        update(COVERAGE)
        .where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(Stage.INGEST))
        .where(COVERAGE.c.partition_key.in_(list(landed)), COVERAGE.c.status.not_in([str(s) for s in SETTLED]))
        .where((COVERAGE.c.updated_at_utc <= now - LOST_AFTER) | (COVERAGE.c.run_id == run_id))
        .values(status=str(Coverage.WAITING), detail="announced again", run_id=run_id, updated_at_utc=now)
        .returning(COVERAGE.c.partition_key)
    )
    return set(connection.scalars(query))


def _object_row(problem: str, item: ReadObject, now: datetime) -> dict[str, object]:
    """Write one object as a row."""
    return {
        "problem": problem,
        "object_key": item.seen.key,
        "size_bytes": item.seen.size_bytes,
        "version": item.seen.version,
        "fingerprint": item.fingerprint,
        "home_partition": item.home_partition,
        "n_rows": sum(item.n_rows.values()),
        "flaw": item.flaw,
        "seen_at_utc": now,
    }
