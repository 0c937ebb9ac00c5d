"""Writes lake tables: one partition is replaced by one commit, so that every writer may run twice.

One of the two doors of the lake for other rooms.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.expressions import In, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table import Table

from include.engine.batch_functions import BatchFunction, stream
from include.engine.partition_runs import partition_runs
from include.engine.session import is_spark, open_engine
from include.errors import LakeConflict, RowsOutsidePartition
from include.lake import files
from include.lake.catalog import OneCommit, arrow_schema, ensure_table, find_table, table_lock
from include.lake.quarantine import Fault, quarantine_rows
from include.lake.reading import files_by_partition, planned_files
from include.names import PARTITION_KEY, ROW_KEY

__all__ = [
    "PARTITION_PROPERTY",
    "Fault",
    "publish_each",
    "publish_files",
    "publish_partitions",
    "quarantine_rows",
    "replace_by_batches",
    "replace_partition",
    "replace_partitions",
]

# Snapshots say which partition they changed, so that one partition's history is found without reading all of it.
PARTITION_PROPERTY = "mulgil.partition_key"


def replace_partition(
    table_name: str, partition_key: str, rows: pa.Table, properties: Mapping[str, str] | None = None
) -> str:
    """Make `rows` the rows of one partition, in one commit; the table is made at first use.

    Args:
        rows: all have `partition_key` in their column `_partition_key`; columns that the table lacks are added to it.
            None at all empties the partition.
        properties: kept with the snapshot, for whoever reads the table's history.

    Returns:
        the snapshot that holds the rows.

    Raises:
        RowsOutsidePartition: rows lie outside of the partition, or a column has no type.
        LakeConflict: a column has another type than in the table, or a foreign writer won every race.
    """
    return replace_partitions(table_name, [partition_key], rows, properties)


def replace_partitions(
    table_name: str, partition_keys: Sequence[str], rows: pa.Table, properties: Mapping[str, str] | None = None
) -> str:
    """Make `rows` the rows of several partitions, in one commit; readers see all of them change or none.

    A commit costs more the longer the table's history is, so many small partitions are better written together.

    Args:
        partition_keys: every row's `_partition_key` is one of these; those without rows are emptied.

    Returns, Raises: as `replace_partition`.
    """
    _require_partitions(table_name, partition_keys, rows)
    table = find_table(table_name)
    rows = rows.cast(_target_schema(table_name, rows.schema, arrow_schema(table) if table else None))
    rows = rows.replace_schema_metadata(None)
    paths = []
    for key in partition_keys:
        part = rows.filter(pc.equal(rows[PARTITION_KEY], key)) if len(partition_keys) > 1 else rows
        if part.num_rows:
            paths.append(files.write_parquet(files.partition_folder(table_name, key), rows.schema, [part])[0])
    return publish_partitions(table_name, partition_keys, paths, rows.schema, properties or {})


def replace_by_batches(
    table_name: str,
    partition_keys: Sequence[str],
    rows: ibis.Table,
    function: BatchFunction,
    schema: pa.Schema,
    *,
    n_at_once: int,
    properties: Mapping[str, str] | None = None,
) -> tuple[str, Counter[str]]:
    """Make what a function gives for rows the rows of partitions, in one commit; no partition is held as a whole.

    Args:
        rows: of the lake, with `_partition_key` and `_row_key`.
        function: takes and gives Arrow batches; `_partition_key` stays what it is. On Spark it travels to the workers.
        schema: of what it gives: plain types, `_partition_key` among them.
        n_at_once: rows of a batch.

    Returns:
        the snapshot that holds the rows, and how many each partition has.

    Raises:
        RowsOutsidePartition: rows lie outside of the partitions.
        LakeConflict: as `replace_partition`.
    """
    engine, paths, n_rows = open_engine(), [], Counter[str]()
    if is_spark(engine):
        for key in partition_keys:
            mapped = engine.map_batches(
                rows.filter(rows[PARTITION_KEY] == key), function, ibis.Schema.from_pyarrow(schema)
            )
            written, n_rows[key] = files.write_files(engine, mapped, files.partition_folder(table_name, key), [ROW_KEY])
            paths += written
    else:
        for key, batches in partition_runs(stream(rows, function, n_at_once)):
            _require_partition(table_name, partition_keys, key)
            path, n_written = files.write_parquet(files.partition_folder(table_name, key), schema, batches)
            paths.append(path)
            n_rows[key] += n_written
    return publish_partitions(table_name, partition_keys, paths, schema, properties or {}), n_rows


def _require_partition(table_name: str, partition_keys: Sequence[str], key: str) -> None:
    """Refuse rows that the next replacement of these partitions would not remove.

    Raises:
        RowsOutsidePartition: the rows are of another partition.
    """
    if key not in partition_keys:
        raise RowsOutsidePartition(
            f"Rows for {table_name} lie outside of {', '.join(map(repr, partition_keys))}: in {key!r}."
        )


def publish_files(
    table_name: str,
    partition_key: str,
    paths: Sequence[str],
    schema: pa.Schema,
    properties: Mapping[str, str] | None = None,
    within: OneCommit | None = None,
) -> str:
    """Make files that lie in the lake already the whole of one partition, in one commit.

    Args:
        paths: relative to the lake; every row has `partition_key` in its column `_partition_key`.
        schema: their columns.
        within: the transaction that this is a part of; one of its own when None.

    Returns:
        the snapshot that brought the rows; when the partition is these very files already, nothing is committed.

    Raises:
        LakeConflict: a column has another type than in the table, or a foreign writer won every race.
    """
    return publish_each(table_name, {partition_key: paths}, schema, properties, within)[partition_key]


def publish_each(
    table_name: str,
    paths: Mapping[str, Sequence[str]],
    schema: pa.Schema,
    properties: Mapping[str, str] | None = None,
    within: OneCommit | None = None,
) -> dict[str, str]:
    """Make files that lie in the lake already the whole of each of some partitions, in one commit.

    Args:
        paths: partition to its files, relative to the lake; none empties it.

    Returns:
        partition to the snapshot that brought its rows. What consists of its very files already is left as it is; where
        all do, nothing is committed.

    Other Args, Raises: as `publish_files`.
    """
    if not paths:
        return {}
    find_table(table_name)  # what has to be brought back first can only be while nobody holds the lock
    with table_lock(table_name, within):
        table = _open_within(table_name, schema, within)
        live, snapshot = files_by_partition(table, list(paths)), table.current_snapshot()
        changed = [key for key in paths if snapshot is None or live.get(key, []) != sorted(paths[key])]
        brought = _last_changes(table, [key for key in paths if key not in changed])
        if changed:
            new = [path for key in changed for path in paths[key]]
            held = [path for key in changed for path in live.get(key, [])]
            snapshot_id = _change(table_name, table, changed, new, held, schema, properties or {})
            brought |= dict.fromkeys(changed, snapshot_id)
    return brought


def publish_partitions(
    table_name: str,
    partition_keys: Sequence[str],
    paths: Sequence[str],
    schema: pa.Schema,
    properties: Mapping[str, str],
    within: OneCommit | None = None,
    instead_of: Sequence[str] | None = None,
) -> str:
    """Make files that lie in the lake already the whole of several partitions, in one commit.

    Args:
        instead_of: the files that the new ones were made from. Where the partitions have others by now, somebody has
            published meanwhile, and their rows would be lost. None: what the partitions have does not matter.

    Other Args, Returns, Raises: as `publish_files`; LakeConflict also where `instead_of` is not what is there, and
    where a file of `paths` is gone.
    """
    find_table(table_name)  # what has to be brought back first can only be while nobody holds the lock
    with table_lock(table_name, within):
        table = _open_within(table_name, schema, within)
        live = planned_files(table, partition_keys)
        snapshot = table.current_snapshot()
        if snapshot is not None and live == sorted(paths):
            return _last_change(table, partition_keys) or str(snapshot.snapshot_id)
        if instead_of is not None and live != sorted(instead_of):
            raise LakeConflict(
                f"{table_name}, partition {', '.join(partition_keys)}: somebody has published {len(set(live))} other "
                "files since this was read. Nothing was changed. Run it again."
            )
        return _change(table_name, table, partition_keys, paths, live, schema, properties)


def _open_within(table_name: str, schema: pa.Schema, within: OneCommit | None) -> Table:
    """Open a table, under its lock, to be committed to with a transaction of the warehouse where there is one."""
    table = ensure_table(table_name, schema)
    if within is not None:
        table.catalog = within.catalog
    return table


def _change(
    table_name: str,
    table: Table,
    partition_keys: Sequence[str],
    paths: Sequence[str],
    live: Sequence[str],
    schema: pa.Schema,
    properties: Mapping[str, str],
) -> str:
    """Put files in the place of those that partitions have; give the snapshot.

    Raises:
        LakeConflict: one of the files is gone, or a foreign writer won every race.
    """
    _require_in_place(table_name, sorted(set(paths) - set(live)))
    try:
        return _commit(table, partition_keys, paths, schema, is_replacing=bool(live), properties=properties)
    except (CommitFailedException, ValidationException) as error:
        raise LakeConflict(
            f"{table_name}, partition {', '.join(partition_keys)}: another writer changed it first ({error}). "
            "Run it again."
        ) from error


def _require_in_place(table_name: str, paths: Sequence[str]) -> None:
    """Check, under the table's lock, that files to be published are there: who cleans up holds the same lock.

    Raises:
        LakeConflict: one was removed since it was written.
    """
    gone = files.missing_files(paths)
    if gone:
        raise LakeConflict(
            f"{table_name}: {len(gone)} of {len(paths)} files that were to be published are gone, the first is "
            f"{gone[0]}: another run has cleaned up meanwhile. Nothing was changed. Run it again."
        )


def _last_change(table: Table, partition_keys: Sequence[str]) -> str | None:
    """Name the newest snapshot that changed one of the partitions; None when it has expired."""
    for snapshot in sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0, reverse=True):
        changed = (snapshot.summary.get(PARTITION_PROPERTY) if snapshot.summary else None) or ""
        if not set(partition_keys).isdisjoint(changed.split(",")):
            return str(snapshot.snapshot_id)
    return None


def _last_changes(table: Table, partition_keys: Sequence[str]) -> dict[str, str]:
    """Name for each partition the newest snapshot that changed it; the current one where that has expired."""
    current = table.current_snapshot()
    found = dict.fromkeys(partition_keys, str(current.snapshot_id)) if current is not None else {}
    for snapshot in sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0):
        changed = (snapshot.summary.get(PARTITION_PROPERTY) if snapshot.summary else None) or ""
        found |= dict.fromkeys(found.keys() & set(changed.split(",")), str(snapshot.snapshot_id))
    return found


def _commit(
    table: Table,
    partition_keys: Sequence[str],
    paths: Sequence[str],
    schema: pa.Schema,
    *,
    is_replacing: bool,
    properties: Mapping[str, str],
) -> str:
    """Drop the partitions' old files and add the new ones; readers see both changes or neither.

    Raises:
        LakeConflict: the table has no snapshot afterwards.
    """
    summary = {**properties, PARTITION_PROPERTY: ",".join(partition_keys)}
    with table.transaction() as transaction:
        if is_replacing:
            keys = {literal(key) for key in partition_keys}
            transaction.delete(In(term=Reference(PARTITION_KEY), values=keys), snapshot_properties=summary)
        if paths:
            locations = [files.absolute(path) for path in paths]
            # Files lie in their partition's folder, and what it had was just dropped: no need to look for them through
            # the manifests of all others, which would make each commit dearer than the one before.
            transaction.add_files(locations, snapshot_properties=summary, check_duplicate_files=False)
        elif not is_replacing:
            # Nothing before, nothing now: an empty snapshot says that somebody looked.
            transaction.append(schema.empty_table(), snapshot_properties=summary)
    committed = table.current_snapshot()
    if committed is None:
        raise LakeConflict(f"The commit of partition {', '.join(partition_keys)} left no snapshot. Run it again.")
    return str(committed.snapshot_id)


def _require_partitions(table_name: str, partition_keys: Sequence[str], rows: pa.Table) -> None:
    """Refuse rows that the next replacement of these partitions would not remove.

    Raises:
        RowsOutsidePartition: a row is of another partition, or there is no column that says which.
    """
    if PARTITION_KEY not in rows.schema.names:
        raise RowsOutsidePartition(f"Rows for {table_name} have no column {PARTITION_KEY!r}.")
    is_inside = pc.is_in(rows[PARTITION_KEY], pa.array(partition_keys, pa.string()))
    n_outside = rows.num_rows - (pc.sum(is_inside).as_py() or 0)
    if n_outside:
        worst = rows.filter(pc.invert(is_inside))[PARTITION_KEY][0].as_py()
        raise RowsOutsidePartition(
            f"{n_outside} of {rows.num_rows} rows for {table_name} lie outside of partition "
            f"{', '.join(map(repr, partition_keys))}; "
            f"the first is of {worst!r}."
        )


def _target_schema(table_name: str, schema: pa.Schema, existing: pa.Schema | None) -> pa.Schema:
    """Choose the stored type of each column: the table's where it has the column, else the plain form of its own.

    Raises:
        RowsOutsidePartition: a new column has nulls alone, and no type.
        LakeConflict: a column has another type than in the table.
    """
    fields = []
    for field in schema:
        kind = _plain_type(field.type)
        if existing is not None and field.name in existing.names:
            stored = existing.field(field.name).type
            _require_same_type(table_name, field.name, kind, stored)
            kind = stored
        elif pa.types.is_null(kind):
            raise RowsOutsidePartition(
                f"Column {field.name!r} for {table_name} holds only nulls and no type; give it one."
            )
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _require_same_type(table_name: str, column: str, kind: pa.DataType, stored: pa.DataType) -> None:
    """Refuse what a cast would only seem to mend: text that happens to hold numbers, say.

    Raises:
        LakeConflict: the types differ, and nulls and whole numbers in a column of doubles are not all that differs.
    """
    if kind == stored or pa.types.is_null(kind) or (pa.types.is_integer(kind) and pa.types.is_floating(stored)):
        return
    raise LakeConflict(
        f"Column {column!r} is {stored} in {table_name} and {kind} in the new rows. "
        "A published column keeps its type; give the new one another name."
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Turn a type into the one that the lake stores it as."""
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_integer(kind):
        return pa.int64()
    return pa.float64() if pa.types.is_floating(kind) else kind
