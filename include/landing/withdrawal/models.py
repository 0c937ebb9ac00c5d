"""Finds out which models learned from rows that were withdrawn since, and marks them; they go on serving.

What does not belong here: taking a model out, which is a person's decision (the DAG `rollback`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from include.errors import LakeDamaged, NotInLake, SnapshotExpired
from include.lake.reading import Origin, open_rows, read_origin
from include.names import OBJECT_KEY, PARTITION_KEY, ROW_KEY, events_table, log_name
from include.partition_keys import sort_key
from include.problems.schema import Problem
from include.warehouse.loading import replace_rows
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.landing import WITHDRAWAL
from include.warehouse.tables.learning import MODEL_LOG, MODEL_VERSION
from include.warehouse.tables.review import LABEL

TOPIC = "withdrawn rows"


@dataclass(frozen=True)
class TakenBack:
    """Bytes of an object that are withdrawn now.

    Attributes:
        fingerprint: their sha256.
        left_at: from when on the lake's partition is without them; None where it may still have them.
    """

    fingerprint: str
    left_at: datetime | None


# Partition to the objects that are withdrawn from it.
Withdrawals = Mapping[str, Mapping[str, Collection[TakenBack]]]


def mark_models(connection: Connection, problem: Problem, now: datetime, since: datetime | None = None) -> list[str]:
    """Mark the versions whose training rows are withdrawn by now; where all were let in again, the mark goes.

    Args:
        problem: with the logs that its rows are joined with.
        since: only versions that were trained after this moment; None looks at all.

    Returns:
        the versions that are marked.
    """
    columns = ("model_version", "snapshot_id", "trained_through", "n_train", "n_calibrate", "rows_withdrawn_at_utc")
    query = select(*(MODEL_VERSION.c[name] for name in columns)).where(MODEL_VERSION.c.problem == problem.name)
    if since is not None:
        query = query.where(MODEL_VERSION.c.trained_at_utc > since)
    versions = connection.execute(query.order_by(MODEL_VERSION.c.model_version)).mappings().all()
    withdrawn = {
        name: _read_withdrawn(connection, name) for name in [problem.name, *(log.name for log in problem.logs)]
    }
    is_by_desk = problem.label is not None and problem.label.source == "desk"
    labelled = (
        set(connection.scalars(select(LABEL.c.item_id).where(LABEL.c.problem == problem.name))) if is_by_desk else None
    )
    marked = []
    for version in versions:
        n_rows = _count(
            problem.name, version["snapshot_id"], withdrawn[problem.name], version["trained_through"], labelled
        )
        n_rows += sum(
            _count(name, snapshot_id, withdrawn.get(name, {}), None, None)
            for name, snapshot_id in _read_logs(connection, problem.name, version["model_version"])
        )
        _write_mark(connection, problem.name, version, n_rows, withdrawn, now)
        marked += [version["model_version"]] if n_rows else []
    return marked


def _read_withdrawn(connection: Connection, problem: str) -> Withdrawals:
    """Read what is withdrawn now."""
    columns = ("partition_key", "object_key", "fingerprint", "left_at_utc")
    query = select(*(WITHDRAWAL.c[name] for name in columns))
    ours = (WITHDRAWAL.c.problem == problem, WITHDRAWAL.c.restored_at_utc.is_(None), WITHDRAWAL.c.n_rows > 0)
    found: dict[str, dict[str, list[TakenBack]]] = {}
    for partition_key, object_key, fingerprint, left_at in connection.execute(query.where(*ours)):
        found.setdefault(partition_key, {}).setdefault(object_key, []).append(TakenBack(fingerprint, left_at))
    return found


def _read_logs(connection: Connection, problem: str, version: str) -> list[tuple[str, str]]:
    """Read which snapshots of other logs a version has read, by the names that their stages have."""
    query = select(MODEL_LOG.c.log, MODEL_LOG.c.snapshot_id).where(
        MODEL_LOG.c.problem == problem, MODEL_LOG.c.model_version == version, MODEL_LOG.c.snapshot_id.is_not(None)
    )
    return [(log_name(problem, log), str(snapshot_id)) for log, snapshot_id in connection.execute(query)]


def _count(
    problem: str,
    snapshot_id: str,
    withdrawn: Withdrawals,
    through: str | None,
    labelled: Collection[str] | None,
) -> int:
    """Count the rows of withdrawn bytes in a snapshot that a model was trained on.

    Which bytes a partition was made of, the snapshot that wrote it says. Where that one has expired, rows count unless
    the withdrawn bytes had left the lake by then: rather a mark too many than one too few.

    Args:
        through: no later partition; None: all of them.
        labelled: where people label, the items that they have; None: all rows have labels.
    """
    partitions = [key for key in withdrawn if through is None or sort_key(key) <= sort_key(through)]
    if not partitions:
        return 0
    try:
        rows = open_rows(events_table(problem), partitions, snapshot_id)
        theirs = rows.filter(rows[OBJECT_KEY].isin(sorted(set().union(*withdrawn.values()))))
        found = theirs.select(PARTITION_KEY, OBJECT_KEY, ROW_KEY).to_pyarrow().to_pylist()
        origin = read_origin(events_table(problem), partitions, snapshot_id)
    except (SnapshotExpired, NotInLake, LakeDamaged):
        return 0  # nobody can say any more what it held
    held = {
        (partition, key)
        for partition in partitions
        for key, taken in withdrawn[partition].items()
        if any(_is_held(origin, partition, key, one) for one in taken)
    }
    return sum(
        (row[PARTITION_KEY], row[OBJECT_KEY]) in held and (labelled is None or row[ROW_KEY] in labelled)
        for row in found
    )


def _is_held(origin: Origin, partition_key: str, object_key: str, taken: TakenBack) -> bool:
    """Say whether rows of an object in a snapshot are of the bytes that are withdrawn."""
    made_of = origin.made_of.get(partition_key)
    if made_of is None:
        return taken.left_at is None or taken.left_at > origin.committed_at
    return made_of.get(object_key) == taken.fingerprint


def _write_mark(
    connection: Connection,
    problem: str,
    version: RowMapping,
    n_rows: int,
    withdrawn: Mapping[str, Withdrawals],
    now: datetime,
) -> None:
    """Write, or take away, that rows a version was trained on were withdrawn."""
    if not n_rows and version["rows_withdrawn_at_utc"] is None:
        return
    at = (version["rows_withdrawn_at_utc"] or now) if n_rows else None
    ours = (MODEL_VERSION.c.problem == problem, MODEL_VERSION.c.model_version == version["model_version"])
    values = {"n_withdrawn": n_rows or None, "rows_withdrawn_at_utc": at}
    connection.execute(update(MODEL_VERSION).where(*ours).values(values))
    about = {"problem": problem, "model_version": version["model_version"], "topic": TOPIC}
    objects = sorted({key for fed in withdrawn.values() for keys in fed.values() for key in keys})
    reasons = connection.scalars(
        select(WITHDRAWAL.c.reason)
        .where(is_one_of(WITHDRAWAL.c.problem, withdrawn), is_one_of(WITHDRAWAL.c.object_key, objects))
        .where(WITHDRAWAL.c.restored_at_utc.is_(None))
        .order_by(WITHDRAWAL.c.withdrawn_at_utc.desc())
        .limit(1)
    ).all()
    note = (
        f"{n_rows} of the rows that it could learn from were withdrawn since ({'; '.join(reasons)}). It goes on "
        "serving; the next training leaves them out, and `rollback` takes it out at once. bi.withdrawal_history names "
        "the objects."
    )
    replace_rows(connection, MODEL_NOTE, about, [about | {"note": note}] if n_rows else [])
