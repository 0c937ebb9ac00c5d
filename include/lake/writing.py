"""Writes lake tables: one partition is replaced by one commit, so that every writer may run twice.

One of the two doors of the lake for other rooms.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.expressions import In, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table import Table

from include.engine.mapping import BatchFunction, stream
from include.engine.session import is_spark, open_engine
from include.errors import BadPartition, LakeConflict
from include.lake import files
from include.lake.catalog import OneCommit, arrow_schema, ensure_table, find_table, table_lock
from include.lake.reading import planned_files
from include.lake.setting_apart import Fault, set_rows_apart
from include.names import PARTITION_KEY, ROW_KEY

__all__ = [
    "PARTITION_PROPERTY",
    "Fault",
    "publish_files",
    "publish_partitions",
    "replace_by_batches",
    "replace_partition",
    "replace_partitions",
    "set_rows_apart",
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
        BadPartition: rows lie outside of the partition, or a column has no type.
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
        BadPartition: rows lie outside of the partitions.
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
        for key, batches in _runs(stream(rows, function, n_at_once)):
            _require_partition(table_name, partition_keys, key)
            path, n_written = files.write_parquet(files.partition_folder(table_name, key), schema, batches)
            paths.append(path)
            n_rows[key] += n_written
    return publish_partitions(table_name, partition_keys, paths, schema, properties or {}), n_rows


def _runs(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Cut batches where the partition changes: files of a partition lie side by side, and so do its rows."""
    pieces = (piece for batch in batches for piece in _pieces(batch))
    for key, run in groupby(pieces, key=itemgetter(0)):
        yield key, (piece for _, piece in run)


def _pieces(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Cut one batch where the partition changes."""
    runs = pc.run_end_encode(batch[PARTITION_KEY])
    start = 0
    for end, key in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield key, batch.slice(start, end - start)
        start = end


def _require_partition(table_name: str, partition_keys: Sequence[str], key: str) -> None:
    """Refuse rows that the next replacement of these partitions would not remove."""
    if key not in partition_keys:
        raise BadPartition(f"Rows for {table_name} lie outside of {', '.join(map(repr, partition_keys))}: in {key!r}.")


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
    return publish_partitions(table_name, [partition_key], paths, schema, properties or {}, within)


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

    Other Args, Returns, Raises: as `publish_files`; LakeConflict also where `instead_of` is not what is there.
    """
    with table_lock(table_name, within):
        table = ensure_table(table_name, schema)
        if within is not None:
            table.catalog = within.catalog
        live = planned_files(table, partition_keys)
        snapshot = table.current_snapshot()
        if snapshot is not None and live == sorted(paths):
            return _last_change(table, partition_keys) or str(snapshot.snapshot_id)
        if instead_of is not None and live != sorted(instead_of):
            raise LakeConflict(
                f"{table_name}, partition {', '.join(partition_keys)}: somebody has published {len(set(live))} other "
                "files since this was read. Nothing was changed. Run it again."
            )
        try:
            return _commit(table, partition_keys, paths, schema, is_replacing=bool(live), properties=properties)
        except (CommitFailedException, ValidationException) as error:
            raise LakeConflict(
                f"{table_name}, partition {', '.join(partition_keys)}: another writer changed it first ({error}). "
                "Run it again."
            ) from error


def _last_change(table: Table, partition_keys: Sequence[str]) -> str | None:
    """Name the newest snapshot that changed one of the partitions; None when it has expired."""
    for snapshot in sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0, reverse=True):
        changed = (snapshot.summary.get(PARTITION_PROPERTY) if snapshot.summary else None) or ""
        if not set(partition_keys).isdisjoint(changed.split(",")):
            return str(snapshot.snapshot_id)
    return None


def _commit(
    table: Table,
    partition_keys: Sequence[str],
    paths: Sequence[str],
    schema: pa.Schema,
    *,
    is_replacing: bool,
    properties: Mapping[str, str],
) -> str:
    """Drop the partitions' old files and add the new ones; readers see both changes or neither."""
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
    """Refuse rows that the next replacement of these partitions would not remove."""
    if PARTITION_KEY not in rows.schema.names:
        raise BadPartition(f"Rows for {table_name} have no column {PARTITION_KEY!r}.")
    is_inside = pc.is_in(rows[PARTITION_KEY], pa.array(partition_keys, pa.string()))
    n_outside = rows.num_rows - (pc.sum(is_inside).as_py() or 0)
    if n_outside:
        worst = rows.filter(pc.invert(is_inside))[PARTITION_KEY][0].as_py()
        raise BadPartition(
            f"{n_outside} of {rows.num_rows} rows for {table_name} lie outside of partition "
            f"{', '.join(map(repr, partition_keys))}; "
            f"the first is of {worst!r}."
        )


def _target_schema(table_name: str, schema: pa.Schema, existing: pa.Schema | None) -> pa.Schema:
    """Choose the stored type of each column: the table's where it has the column, else the plain form of its own."""
    fields = []
    for field in schema:
        kind = _plain_type(field.type)
        if existing is not None and field.name in existing.names:
            stored = existing.field(field.name).type
            _require_same_type(table_name, field.name, kind, stored)
            kind = stored
        elif pa.types.is_null(kind):
            raise BadPartition(f"Column {field.name!r} for {table_name} holds only nulls and no type; give it one.")
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _require_same_type(table_name: str, column: str, kind: pa.DataType, stored: pa.DataType) -> None:
    """Refuse what a cast would only seem to mend: text that happens to hold numbers, say."""
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
