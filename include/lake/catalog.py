"""Opens the Iceberg catalog, which lives in a schema of its own in the warehouse's PostgreSQL.

What belongs here: catalog, tables, and the lock that keeps two writers of one table apart. What does not: rows.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io import PY_IO_IMPL
from pyiceberg.table import Table
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from include.errors import LakeConflict, LakeDamaged, NotInLake
from include.lake.durable_io import ROOT, LakeFileIO
from include.lake.files import lake_root
from include.lake.pyiceberg_patches import LakeCatalog, share_history
from include.lake.recovery import UNREADABLE, recover_table
from include.names import LAKE_NAMESPACE, PARTITION_KEY
from include.settings import read_settings
from include.warehouse.database import engine_for
from include.warehouse.locks import lock_until_commit, try_lock_until_commit

CATALOG_SCHEMA = "lake_catalog"

TABLE_PROPERTIES = {
    # Our own writers queue at a lock; this is for those that do not know it (Spark, a person with pyiceberg).
    "commit.retry.num-retries": "20",
    "commit.retry.max-wait-ms": "2000",
    # Every commit writes a metadata file; a reader needs the one it just looked up, so twenty are plenty.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    # Every commit adds a manifest, and all who read go through the list of them. Merged up to this size, one speaks of
    # some 250 files: the list stays short, and a partition that is replaced has no more than that written anew.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.target-size-bytes": str(64 << 10),
}


def open_catalog() -> SqlCatalog:
    """Open the lake's catalog; schema, tables and namespace are made at first use."""
    share_history()
    settings = read_settings()
    return _catalog_of(settings.warehouse_url, settings.lake_url, settings.s3_endpoint)


@lru_cache(maxsize=4)
def _catalog_of(warehouse_url: str, lake_url: str, s3_endpoint: str | None) -> SqlCatalog:
    """Open a catalog; two processes that are the first ever do it one after the other."""
    url = make_url(warehouse_url)
    options = " ".join(filter(None, [str(url.query.get("options", "")), f"-csearch_path={CATALOG_SCHEMA}"]))
    uri = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    with _lock(warehouse_url, "catalog"):
        with engine_for(warehouse_url).begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {CATALOG_SCHEMA}"))
        root = lake_root(lake_url)
        io = f"{LakeFileIO.__module__}.{LakeFileIO.__name__}"
        properties = {"uri": uri, "warehouse": root, PY_IO_IMPL: io, ROOT: root}
        if s3_endpoint:
            properties["s3.endpoint"] = s3_endpoint
        catalog = LakeCatalog("mulgil", **properties)
        # No pool: commits are few, and a pooled connection would not survive the fork of a task.
        catalog.engine.dispose()
        catalog.engine = create_engine(uri, poolclass=NullPool)
        catalog.create_namespace_if_not_exists(LAKE_NAMESPACE)
    return catalog


def find_table(table_name: str) -> Table | None:
    """Load a table as it is now, or None when nothing was ever written to it.

    Where its newest metadata cannot be read, it is brought back first.

    Raises:
        LakeDamaged: no metadata of it is whole, or somebody holds its lock, so that it cannot be brought back now.
    """
    try:
        return open_catalog().load_table(table_name)
    except NoSuchTableError:
        return None
    except UNREADABLE:
        return bring_back(table_name)


def bring_back(table_name: str) -> Table:
    """Bring a table back whose newest metadata, or a manifest of it, cannot be read.

    Raises:
        LakeDamaged: no metadata of it is whole, or somebody holds its lock, so that it cannot be brought back now.
    """
    with one_commit() as commit:
        if not try_lock_until_commit(commit.connection, "lake", table_name):
            raise LakeDamaged(
                f"The newest metadata of {table_name} cannot be read, and another run is about to write to the table. "
                "Run it again: who reads the table first brings it back."
            )
        recover_table(commit.catalog, commit.connection, table_name)
    return open_catalog().load_table(table_name)


def load_table(table_name: str) -> Table:
    """Load a table as it is now.

    Raises:
        LakeDamaged: it cannot be read, and cannot be brought back now.
        NotInLake: nothing was ever written to it.
    """
    table = find_table(table_name)
    if table is None:
        known = ", ".join(sorted(".".join(name) for name in open_catalog().list_tables(LAKE_NAMESPACE))) or "none"
        raise NotInLake(
            f"The lake has no table {table_name!r}; it has {known}. "
            "A table is made when its first partition is published: is its ingest (or scoring) still to come?"
        )
    return table


def ensure_table(table_name: str, schema: pa.Schema) -> Table:
    """Load a table, making it or adding its new columns and properties first; call it inside `table_lock`.

    Raises:
        LakeDamaged: as of `load_table`.
        LakeConflict: a column has another type in the table than in `schema`.
    """
    table = find_table(table_name)
    if table is None:
        location = f"{lake_root(read_settings().lake_url)}/{table_name.removeprefix(f'{LAKE_NAMESPACE}.')}"
        with (
            open_catalog().create_table_transaction(
                table_name, schema, location=location, properties=TABLE_PROPERTIES
            ) as transaction,
            transaction.update_spec() as spec,
        ):
            spec.add_identity(PARTITION_KEY)
        return load_table(table_name)
    if new := {name: value for name, value in TABLE_PROPERTIES.items() if name not in table.properties}:
        with table.transaction() as transaction:
            transaction.set_properties(new)
    held = {field.name: field.type for field in arrow_schema(table)}
    for field in schema:
        if held.get(field.name, field.type) != field.type:
            raise LakeConflict(
                f"Column {field.name!r} is {held[field.name]} in {table_name} and {field.type} in the new rows. "
                "A published column keeps its type; give the new one another name."
            )
    if set(schema.names) - held.keys():
        try:
            with table.update_schema() as update:
                update.union_by_name(schema)
        except Exception as error:
            raise LakeConflict(f"The columns of {table_name} cannot be changed to the new ones: {error}") from error
    return table


@dataclass(frozen=True)
class OneCommit:
    """A transaction of the warehouse that commits to lake tables, too: the catalog lives in the same PostgreSQL.

    Attributes:
        connection: for rows of the warehouse.
        catalog: whose tables commit with it.
    """

    connection: Connection
    catalog: SqlCatalog


@contextmanager
def one_commit() -> Iterator[OneCommit]:
    """Let what the block writes to lake tables and to the warehouse be seen at once, or, if it breaks off, not at all.

    A process that is killed inside of it leaves files that no table knows, and nothing else.
    """
    catalog = open_catalog()
    with catalog.engine.begin() as connection:
        joined = copy.copy(catalog)
        # A session on a connection that is inside a transaction leaves the commit to whoever began it.
        joined.engine = connection  # type: ignore[assignment]
        yield OneCommit(connection, joined)


@contextmanager
def table_lock(table_name: str, within: OneCommit | None = None) -> Iterator[None]:
    """Hold the right to commit to one table; other writers of this warehouse wait, on whatever machine they are.

    Args:
        within: a transaction to hold it for; until the end of the block when None.
    """
    if within is not None:
        lock_until_commit(within.connection, "lake", table_name)
        yield
        return
    with _lock(read_settings().warehouse_url, table_name):
        yield


@contextmanager
def _lock(warehouse_url: str, name: str) -> Iterator[None]:
    """Hold a lock that PostgreSQL frees when its transaction ends, also when the process is killed."""
    with engine_for(warehouse_url).begin() as connection:
        lock_until_commit(connection, "lake", name)
        yield


def arrow_schema(table: Table) -> pa.Schema:
    """Say a table's columns in Arrow's types, without Iceberg's field ids."""
    fields: list[pa.Field] = [pa.field(f.name, _plain(f.type)) for f in table.schema().as_arrow()]
    return pa.schema(fields)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Turn a large string into a string: the same to every reader, and one spelling to compare."""
    return pa.string() if pa.types.is_large_string(kind) else kind
