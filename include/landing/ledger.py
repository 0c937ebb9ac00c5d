"""Keeps which objects were read and which partitions they feed, in the warehouse."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, func, literal, select, update

from include.engine.formats.object_records import CANNOT_BE_READ
from include.landing.object_changes import KnownObject, ReadObject, moved_partitions
from include.names import Coverage, Stage
from include.warehouse.coverage import SETTLED, mark, read_statuses
from include.warehouse.loading import upsert_rows
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.runs import COVERAGE

# A partition that waits or runs for so long was lost, with its event or its worker; a month of logs takes seconds.
LOST_AFTER = timedelta(minutes=15)
LONGEST_WAIT = timedelta(days=1)


def read_known(connection: Connection, problem: str) -> dict[str, KnownObject]:
    """Read what is known of every object that was read before, by object key."""
    fed: dict[str, dict[str, int]] = defaultdict(dict)
    feeds = select(LANDING_PARTITION.c.object_key, LANDING_PARTITION.c.partition_key, LANDING_PARTITION.c.n_rows)
    for object_key, partition_key, n_rows in connection.execute(feeds.where(LANDING_PARTITION.c.problem == problem)):
        fed[object_key][partition_key] = n_rows
    columns = ("version", "fingerprint", "home_partition", "n_unplaced", "placed_by", "arrived_at_utc")
    objects = select(LANDING_OBJECT.c.object_key, *(LANDING_OBJECT.c[name] for name in columns))
    rows = connection.execute(objects.where(LANDING_OBJECT.c.problem == problem)).mappings()
    return {
        row["object_key"]: KnownObject(
            n_rows=fed[row["object_key"]],
            **{name.removesuffix("_utc"): row[name] for name in columns},
        )
        for row in rows
    }


def store_objects(
    connection: Connection,
    problem: str,
    objects: Sequence[ReadObject],
    known: Mapping[str, KnownObject],
    rules: str,
    now: datetime,
    run_id: str,
) -> set[str]:
    """Store what was read, and put every partition that it changes back to waiting.

    Args:
        known: what the ledger said before.
        rules: that the objects were placed by, from `manifest.placing_rules`.

    Returns:
        the partitions that have other records than before: those that new bytes feed now or fed before, and those that
        records have moved to or from.
    """
    upsert_rows(connection, LANDING_OBJECT, [_object_row(problem, item, rules, now) for item in objects])
    keys = [item.seen.key for item in objects]
    of_read = (LANDING_PARTITION.c.problem == problem, is_one_of(LANDING_PARTITION.c.object_key, keys))
    connection.execute(delete(LANDING_PARTITION).where(*of_read))
    rows = [
        {"problem": problem, "partition_key": key, "object_key": item.seen.key, "n_rows": n}
        for item in objects
        for key, n in item.n_rows.items()
    ]
    upsert_rows(connection, LANDING_PARTITION, rows)
    changed: set[str] = set()
    for item in objects:
        before = known.get(item.seen.key)
        changed |= set(item.n_rows) if before is None else moved_partitions(before, item, rules)
    for key in sorted(changed):
        mark(connection, problem, Stage.LAND, key, Coverage.DONE, run_id=run_id)
        # In the same transaction: if the announcement is lost, the next run finds the partition waiting.
        mark(connection, problem, Stage.INGEST, key, Coverage.WAITING, detail="new objects landed", run_id=run_id)
    return changed


def note_rules(connection: Connection, problem: str, object_keys: Sequence[str], rules: str) -> None:
    """Write that objects lie as today's rules would put them."""
    ours = (LANDING_OBJECT.c.problem == problem, is_one_of(LANDING_OBJECT.c.object_key, object_keys))
    connection.execute(update(LANDING_OBJECT).where(*ours).values(placed_by=rules))


def claim_unsettled(connection: Connection, problem: str, now: datetime, run_id: str) -> set[str]:
    """Name the partitions that landed, and whose announcement or ingest was lost, and note that they wait anew.

    Without the note every later run would announce them again, too, while they queue for an ingest.
    What another run announced a moment ago is on its way: announcing it again would only ingest it twice. What this
    very run announced is named again, because a run that is repeated may have died before Airflow heard of it.
    A partition whose steps fail waits twice as long each time: it may mend itself, and nobody needs a red run a minute.
    """
    landed = read_statuses(connection, problem, Stage.LAND)
    n_doublings = func.least(func.greatest(COVERAGE.c.n_failures - 1, 0), 10)
    wait_s = func.least(LONGEST_WAIT.total_seconds(), LOST_AFTER.total_seconds() * func.power(2, n_doublings))
    is_lost = func.extract("epoch", literal(now) - COVERAGE.c.updated_at_utc) >= wait_s
    query = (
        update(COVERAGE)
        .where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(Stage.INGEST))
        .where(is_one_of(COVERAGE.c.partition_key, list(landed)), COVERAGE.c.status.not_in([str(s) for s in SETTLED]))
        .where(is_lost | (COVERAGE.c.run_id == run_id))
        .values(
            status=str(Coverage.WAITING),
            detail="announced again",
            run_id=run_id,
            updated_at_utc=now,
            # Whoever was killed could not write that it failed.
            n_failures=COVERAGE.c.n_failures + case((COVERAGE.c.status == str(Coverage.RUNNING), 1), else_=0),
        )
        .returning(COVERAGE.c.partition_key)
    )
    return set(connection.scalars(query))


def _object_row(problem: str, item: ReadObject, rules: str, now: datetime) -> dict[str, object]:
    """Write one object as a row."""
    return {
        "problem": problem,
        "object_key": item.seen.key,
        "size_bytes": item.seen.size_bytes,
        # What could not be read may be mended without a trace in its version: with none, the next run tries again.
        "version": "" if (item.flaw or "").startswith(CANNOT_BE_READ) else item.seen.version,
        "fingerprint": item.fingerprint,
        "home_partition": item.home_partition,
        "placed_by": rules,
        "n_unplaced": item.n_unplaced,
        "n_rows": sum(item.n_rows.values()),
        "flaw": item.flaw,
        "read_as": item.read_as,
        "arrived_at_utc": item.arrived_at,
        "seen_at_utc": now,
    }
