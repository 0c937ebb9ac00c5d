"""Reads lake tables: the files of a snapshot, as rows of the engine.

One of the two doors of the lake for other rooms.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.dataset
from pyiceberg.expressions import In, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.table import Table

from include.engine.relations import fit_columns, relation_of_arrow, relation_of_files
from include.engine.session import open_engine
from include.errors import BadPartition
from include.lake import files
from include.lake.catalog import arrow_schema, find_table, load_table
from include.names import PARTITION_KEY


def open_rows(table_name: str, partitions: Sequence[str] | None = None, snapshot_id: str | None = None) -> ibis.Table:
    """Open the rows of a lake table.

    Args:
        table_name: from `names.events_table`, `predictions_table` or `quarantine_table`.
        partitions: keys to read; all when None. A partition that is not there has no rows.
        snapshot_id: the table as it was; as it is now when None.

    Returns:
        a relation with the table's columns of today; nothing is read before it is executed.

    Raises:
        BadPartition: the table does not exist, or has no such snapshot.
    """
    table = load_table(table_name)
    paths = planned_files(table, partitions, snapshot_id)
    return open_files(paths, arrow_schema(table))


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


def current_snapshot(table_name: str) -> str:
    """Name the snapshot that a table stands at.

    Raises:
        BadPartition: nothing was ever written to the table.
    """
    snapshot = load_table(table_name).current_snapshot()
    if snapshot is None:
        raise BadPartition(f"The lake table {table_name!r} has no snapshot yet: nothing was published to it.")
    return str(snapshot.snapshot_id)


def list_partitions(table_name: str) -> list[str]:
    """Name the partitions that have rows, oldest first; none when nothing was ever written to the table."""
    table = find_table(table_name)
    return sorted({str(task.file.partition[0]) for task in table.scan().plan_files()}) if table else []


def planned_files(table: Table, partitions: Sequence[str] | None = None, snapshot_id: str | None = None) -> list[str]:
    """Name the files that hold a snapshot's rows, relative to the lake, in the order of their names.

    Raises:
        BadPartition: the table has no such snapshot.
    """
    if snapshot_id is not None and table.snapshot_by_id(int(snapshot_id)) is None:
        raise BadPartition(f"{'.'.join(table.name())} has no snapshot {snapshot_id}; was it expired?")
    selection: dict[str, Any] = {"snapshot_id": int(snapshot_id)} if snapshot_id is not None else {}
    if partitions is not None:
        if not partitions:
            return []
        selection["row_filter"] = In(term=Reference(PARTITION_KEY), values={literal(key) for key in partitions})
    return sorted(files.relative(task.file.file_path) for task in table.scan(**selection).plan_files())


def hash_files(paths: Sequence[str]) -> str:
    """Hash files of the lake as one: the sha256 over the sorted lines `<sha256>  <path>`.

    Args:
        paths: relative to the lake, in any order.

    Raises:
        BadPartition: a file is not there.
    """
    lines = []
    for path in sorted(paths):
        try:
            lines.append(f"{files.hash_file(path)}  {path}\n")
        except FileNotFoundError as error:
            raise BadPartition(
                f"The staged file {path} is gone from the lake. Clear `stage_partition` and what follows it."
            ) from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()
