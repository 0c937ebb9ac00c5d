"""Reads lake tables: the files of a snapshot, as rows of the engine.

One of the two doors of the lake for other rooms.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.dataset
from pyiceberg.expressions import In, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table import FileScanTask, Table

from include.engine.relations import fit_columns, relation_of_arrow, relation_of_files
from include.engine.session import open_engine
from include.errors import LakeDamaged, NotInLake, SnapshotExpired, StagedFileGone
from include.lake import files
from include.lake.catalog import arrow_schema, bring_back, find_table, load_table
from include.lake.joins.label_log import join_labels
from include.lake.joins.lags import add_lags
from include.lake.joins.log_state import LogState as LogState
from include.lake.joins.lookups import look_up
from include.lake.origins import Origin as Origin
from include.lake.origins import read_origin as read_origin
from include.lake.raw_ids import read_raw_ids as read_raw_ids
from include.lake.recovery import UNREADABLE, let_wait, lost_files
from include.lake.row_expressions import events_schema
from include.names import PARTITION_KEY, Stage, events_table, log_name
from include.partition_keys import partition_bounds
from include.problems.schema import Problem
from include.problems.sections.source import Source
from include.warehouse.coverage import SETTLED, passed_partitions, read_statuses
from include.warehouse.database import open_warehouse
from include.warehouse.withdrawals import partitions_to_leave


def open_rows(table_name: str, partitions: Sequence[str] | None = None, snapshot_id: str | None = None) -> ibis.Table:
    """Open the rows of a lake table.

    Args:
        table_name: from `names.events_table`, `predictions_table` or `quarantine_table`.
        partitions: keys to read; all when None. A partition that is not there has no rows.
        snapshot_id: the table as it was; as it is now when None.

    Returns:
        a relation with the table's columns of today; nothing is read before it is executed.

    Raises:
        NotInLake: the table does not exist.
        SnapshotExpired: it has no such snapshot.
        LakeDamaged: files of these partitions are gone or cut short; the partitions wait for ingest now.
    """
    table = load_table(table_name)
    tasks = _plan(table, partitions, snapshot_id)
    if files.is_on_disk():
        _require_whole(table_name, tasks)
    return open_files(_paths_of(tasks), arrow_schema(table))


def open_files(paths: Sequence[str], schema: pa.Schema | None = None) -> ibis.Table:
    """Open Parquet files of the lake, published or only staged, as one relation.

    Args:
        paths: relative to the lake.
        schema: the columns to give; those of the first file when None.

    Raises:
        ValueError: neither a path nor a schema.
    """
    if schema is None:
        if not paths:
            raise ValueError("open_files() needs a path or a schema: no file has no columns")
        schema = pyarrow.parquet.read_schema(paths[0], filesystem=files.open_files())
    engine = open_engine()
    if files.is_on_disk() or not paths:
        return relation_of_files(engine, [files.absolute(path) for path in paths], schema)
    # DuckDB cannot reach an object store without an extension from the network; Arrow can, and hands rows over.
    dataset = pyarrow.dataset.dataset(list(paths), schema=schema, filesystem=files.open_files(), format="parquet")
    return fit_columns(relation_of_arrow(engine, dataset), schema)


def open_events(
    problem: Problem,
    partitions: Sequence[str] | None = None,
    snapshot_id: str | None = None,
    logs: Mapping[str, LogState] | None = None,
) -> ibis.Table:
    """Open a problem's published rows with what other logs of it say about them.

    Args:
        partitions, snapshot_id: as of `open_rows`.
        logs: the other logs as a model has read them, from `read_log_states`; as they are now where one is missing.

    Returns:
        the stored columns, the lags, and what is looked up; where the label comes in another log, a structure named
        after that log, and `_label_is_due`.

    Raises:
        NotInLake, SnapshotExpired, LakeDamaged: as `open_rows`.
    """
    events = _open_with_lags(problem, partitions, snapshot_id)
    span = _span_of(problem, partitions)
    states = {**read_log_states(problem), **(logs or {})} if problem.joined_logs else {}
    for lookup in problem.lookups.values():
        log = _open_log(problem, lookup.from_log, states[lookup.from_log], span, timedelta(0), is_all_before=True)
        events = look_up(events, log, problem, lookup)
    label = problem.label
    if label is None or label.from_log is None or label.within is None:
        return events
    state = states[label.from_log]
    return join_labels(events, _open_log(problem, label.from_log, state, span, label.within), problem, state)


def _open_with_lags(problem: Problem, partitions: Sequence[str] | None, snapshot_id: str | None) -> ibis.Table:
    """Open rows with their lags, which look back over the borders of partitions."""
    name, lags = events_table(problem.name), problem.source.lags
    if not lags:
        return open_rows(name, partitions, snapshot_id)
    span = _span_of(problem, partitions)
    if partitions is None or span is None:
        return add_lags(open_rows(name, partitions, snapshot_id), problem.source, partitions)
    held = sorted({str(task.file.partition[0]) for task in _plan(load_table(name), None, snapshot_id)})
    since = span[0] - max(lag.over for lag in lags.values())
    bounds = {key: partition_bounds(key, problem.source.grain) for key in held}
    needed = [key for key in held if bounds[key][1] > since and bounds[key][0] < span[1]]
    return add_lags(open_rows(name, needed, snapshot_id), problem.source, partitions)


def read_log_states(problem: Problem) -> dict[str, LogState]:
    """Say how far each other log that rows are joined with is known now."""
    return {log: _read_log_state(log_name(problem.name, log), problem.sources[log]) for log in problem.joined_logs}


def _read_log_state(name: str, source: Source) -> LogState:
    """Say how far one log is known: up to its newest row, and not past a partition that was never ingested."""
    with open_warehouse().connect() as connection:
        landed = read_statuses(connection, name, Stage.LAND)
        ingested = read_statuses(connection, name, Stage.INGEST)
        passed = passed_partitions(connection, name)
        leaving = partitions_to_leave(connection, name)
    table = find_table(events_table(name))
    snapshot = table.current_snapshot() if table else None
    keys = list_partitions(events_table(name)) if snapshot else []
    if snapshot is None or not keys:
        return LogState()
    newest = open_rows(events_table(name), [keys[-1]], str(snapshot.snapshot_id))
    until = newest[source.event_time].max().to_pyarrow().as_py()
    # What is ingested anew counts as it was until it is replaced, unless some of it was withdrawn.
    held = set(keys) - leaving
    open_keys = [key for key in landed if ingested.get(key) not in SETTLED and key not in passed and key not in held]
    until = min([until, *(partition_bounds(key, source.grain)[0] for key in open_keys)])
    refused = [partition_bounds(key, source.grain) for key in landed if key in passed]
    return LogState(str(snapshot.snapshot_id), until, tuple(span for span in sorted(refused) if span[0] < until))


def _span_of(problem: Problem, partitions: Sequence[str] | None) -> tuple[datetime, datetime] | None:
    """Say when some partitions begin and end; None where all are meant, or none."""
    bounds = [partition_bounds(key, problem.source.grain) for key in partitions or []]
    return (min(start for start, _ in bounds), max(end for _, end in bounds)) if bounds else None


def _open_log(
    problem: Problem,
    log: str,
    state: LogState,
    span: tuple[datetime, datetime] | None,
    after: timedelta,
    *,
    is_all_before: bool = False,
) -> ibis.Table:
    """Open another log's rows, of the partitions that may say something about a span of time."""
    name, source = events_table(log_name(problem.name, log)), problem.sources[log]
    schema = events_schema(source)
    if state.snapshot_id is None:
        return relation_of_files(open_engine(), [], schema)
    tasks = _plan(load_table(name), None, state.snapshot_id)
    keys = sorted({str(task.file.partition[0]) for task in tasks})
    if span is not None:
        bounds = {key: partition_bounds(key, source.grain) for key in keys}
        keys = [
            key for key in keys if bounds[key][0] <= span[1] + after and (is_all_before or bounds[key][1] > span[0])
        ]
    return fit_columns(open_rows(name, keys, state.snapshot_id), schema)


def current_snapshot(table_name: str) -> str:
    """Name the snapshot that a table stands at.

    Raises:
        NotInLake: nothing was ever written to the table.
    """
    snapshot = load_table(table_name).current_snapshot()
    if snapshot is None:
        raise NotInLake(f"The lake table {table_name!r} has no snapshot yet: nothing was published to it.")
    return str(snapshot.snapshot_id)


def list_partitions(table_name: str) -> list[str]:
    """Name the partitions that have rows, oldest first; none when nothing was ever written to the table."""
    table = find_table(table_name)
    return sorted({str(task.file.partition[0]) for task in table.scan().plan_files()}) if table else []


def planned_files(table: Table, partitions: Sequence[str] | None = None, snapshot_id: str | None = None) -> list[str]:
    """Name the files that hold a snapshot's rows, relative to the lake, in the order of their names.

    Raises:
        SnapshotExpired: the table has no such snapshot.
        LakeDamaged: what says which files they are cannot be read.
    """
    return _paths_of(_plan(table, partitions, snapshot_id))


def files_by_partition(table: Table, partitions: Sequence[str]) -> dict[str, list[str]]:
    """Name the files that hold the rows of partitions now, relative to the lake; one without rows is left out.

    Raises:
        LakeDamaged: as `planned_files`.
    """
    tasks: dict[str, list[FileScanTask]] = {}
    for task in _plan(table, partitions, None):
        tasks.setdefault(str(task.file.partition[0]), []).append(task)
    return {key: _paths_of(some) for key, some in tasks.items()}


def _paths_of(tasks: Sequence[FileScanTask]) -> list[str]:
    """Name files relative to the lake, in the order of their names."""
    return sorted(files.relative(task.file.file_path) for task in tasks)


def _plan(table: Table, partitions: Sequence[str] | None, snapshot_id: str | None) -> list[FileScanTask]:
    """List the files that hold a snapshot's rows; of the current one, the table is brought back where it is damaged.

    Raises:
        SnapshotExpired: the table has no such snapshot any more.
        LakeDamaged: the snapshot's metadata cannot be read; the current one is brought back instead where that is
            possible.
    """
    if snapshot_id is not None and table.snapshot_by_id(int(snapshot_id)) is None:
        raise SnapshotExpired(f"{'.'.join(table.name())} has no snapshot {snapshot_id}; was it expired?")
    selection: dict[str, Any] = {"snapshot_id": int(snapshot_id)} if snapshot_id is not None else {}
    if partitions is not None:
        if not partitions:
            return []
        selection["row_filter"] = In(term=Reference(PARTITION_KEY), values={literal(key) for key in partitions})
    try:
        return list(table.scan(**selection).plan_files())
    except UNREADABLE as error:
        name = ".".join(table.name())
        if snapshot_id is not None:
            raise LakeDamaged(
                f"The lake is damaged: what snapshot {snapshot_id} of {name} is made of cannot be read any more "
                f"({type(error).__name__}: {error}). Bring the files below {files.absolute('')} back from a backup, or "
                "train anew."
            ) from error
        return list(bring_back(name).scan(**selection).plan_files())


def _require_whole(table_name: str, tasks: Sequence[FileScanTask]) -> None:
    """Check that files are as long as they were written; where one is not, its partition waits for ingest from then on.

    Raises:
        LakeDamaged: one is gone or cut short.
    """
    lost = lost_files(tasks)
    if not lost:
        return
    keys = sorted({str(task.file.partition[0]) for task in lost})
    path = files.relative(lost[0].file.file_path)
    with open_warehouse().begin() as connection:
        let_wait(connection, table_name, keys, f"{path} is gone or cut short; the partition is read again")
    raise LakeDamaged(
        f"The lake is damaged: {len(lost)} of {len(tasks)} files of {table_name} are gone or cut short, the first is "
        f"{path}. Partition {', '.join(keys)} waits for ingest now, which reads it again from landing; run this again "
        f"then. If the disk of {files.absolute('')} is not mounted, mount it."
    )


def list_files(table_name: str, partitions: Sequence[str]) -> list[str]:
    """Name the files that hold the rows of partitions now, relative to the lake; no file ever changes under its name.

    Returns:
        in order; none when nothing was ever written to the table.

    Raises:
        LakeDamaged: as `planned_files`.
    """
    table = find_table(table_name)
    return planned_files(table, partitions) if table else []


def hash_files(paths: Sequence[str]) -> str:
    """Hash files of the lake as one: the sha256 over the sorted lines `<sha256>  <path>`.

    Args:
        paths: relative to the lake, in any order.

    Raises:
        StagedFileGone: a file is not there.
    """
    hashes = {}
    for path in paths:
        try:
            hashes[path] = files.hash_file(path)
        except FileNotFoundError as error:
            raise StagedFileGone(
                f"The staged file {path} is gone from the lake. Clear `stage_partition` and what follows it."
            ) from error
    return combine_hashes(hashes)


def combine_hashes(hashes: Mapping[str, str]) -> str:
    """Hash what `hash_files` would of files whose own hashes are known.

    Args:
        hashes: path relative to the lake to sha256.
    """
    lines = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()
