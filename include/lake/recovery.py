"""Brings a lake table back whose newest metadata cannot be read, as a power cut of a disk that lied leaves it.

The newest metadata that is whole becomes current again, and what was published since goes back to waiting, so that
`land` announces it and ingest reads it again from landing, which was never changed. What does not belong here: rows
that are there and wrong (the audit finds those), and a lake that is not there at all, which nobody may mistake for one
that is empty.
"""

import logging
import re
import struct
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pyarrow import fs
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import ValidationError
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import Connection, and_, delete, select, update

from include.errors import LakeDamaged
from include.lake import files
from include.names import Coverage, Stage, owner_of_table, predictions_table
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.erasure import erased_since
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.learning import SCORED_PARTITION
from include.warehouse.tables.quality import PARTITION_AUDIT

PARTITION_PROPERTY, RUN_PROPERTY = "mulgil.partition_key", "mulgil.run_id"
_NUMBERED = re.compile(r"/metadata/(\d+)-[^/]+\.metadata\.json$")
# A publishing notes when it began, not when it committed; no step takes longer than this between the two.
_MARGIN = timedelta(hours=1)
# Gone; empty, cut short, or something else: what PyIceberg says of metadata and of manifests that are no longer whole.
UNREADABLE = (
    FileNotFoundError,
    ValueError,
    ValidationError,
    EOFError,
    AssertionError,
    LookupError,
    TypeError,
    struct.error,
)
_LOG = logging.getLogger(__name__)


def recover_table(catalog: SqlCatalog, connection: Connection, table_name: str) -> None:
    """Make the newest metadata that is whole current again, unless somebody else has done so meanwhile.

    Args:
        catalog: joined to `connection`.
        connection: a transaction that holds the table's lock.

    Raises:
        LakeDamaged: no metadata of it is whole.
    """
    try:
        list(catalog.load_table(table_name).scan().plan_files())
        return
    except UNREADABLE as error:
        lost = error
    namespace, name = table_name.split(".")
    ours = and_(IcebergTables.table_namespace == namespace, IcebergTables.table_name == name)
    columns = (IcebergTables.metadata_location, IcebergTables.previous_metadata_location)
    row = connection.execute(select(*columns).where(ours)).one()
    current, previous = str(row.metadata_location), row.previous_metadata_location
    for location, metadata in _earlier(catalog, name, current, previous):
        table = Table(
            (namespace, name), metadata, location, catalog._load_file_io(metadata.properties, location), catalog
        )
        if _is_whole(table):
            break
    else:
        raise LakeDamaged(
            f"The lake is damaged: the newest metadata of {table_name} cannot be read ({type(lost).__name__}: "
            f"{files.relative(current)}), and no older metadata of it is whole below {files.absolute(name)}. If the "
            "lake's disk is not mounted, mount it. If the files are lost, bring them back from a backup."
        ) from lost
    connection.execute(
        update(IcebergTables).where(ours).values(metadata_location=location, previous_metadata_location=None)
    )
    waiting = _let_wait(connection, table, table_name)
    _LOG.warning(
        "The newest metadata of %s could not be read (%s); the newest that is whole, of %s, is current again. "
        "%s partitions that were published since wait for ingest, which reads them again from landing: %s.",
        table_name,
        files.relative(current),
        _updated_at(table).isoformat(),
        len(waiting),
        ", ".join(waiting) or "none",
    )


def _earlier(catalog: SqlCatalog, name: str, current: str, previous: str | None) -> Iterator[tuple[str, TableMetadata]]:
    """Give what can be read of the metadata that were committed before the current one, the newest first.

    A killed run may have left metadata that was never committed; it has the number of one that was. Which of the two
    it is, the newer ones say; where they are lost, neither is taken.
    """
    listed: dict[int, list[str]] = {}
    infos = files.open_files().get_file_info(fs.FileSelector(f"{name}/metadata", allow_not_found=True))
    for info in infos:
        if found := _NUMBERED.search(f"/{info.path}"):
            listed.setdefault(int(found[1]), []).append(info.path)
    newest = _NUMBERED.search(current)
    committed = {files.relative(previous)} if previous else set()
    for number in sorted(listed, reverse=True):
        if newest and number >= int(newest[1]):
            continue
        paths = committed.intersection(listed[number]) or listed[number]
        for path in paths if len(paths) == 1 else ():
            location = files.absolute(path)
            try:
                metadata = FromInputFile.table_metadata(catalog._load_file_io({}, location).new_input(location))
            except UNREADABLE:
                continue
            committed |= {files.relative(entry.metadata_file) for entry in metadata.metadata_log}
            yield location, metadata


def _is_whole(table: Table) -> bool:
    """Say whether everything that the current rows are made of is there, and as long as it was written."""
    try:
        return not lost_files(list(table.scan().plan_files()))
    except UNREADABLE:
        return False


def lost_files(tasks: Sequence[FileScanTask]) -> list[FileScanTask]:
    """Name those of a table's files that are gone, or shorter than they were written."""
    infos = files.open_files().get_file_info([files.relative(task.file.file_path) for task in tasks])
    return [
        task
        for task, info in zip(tasks, infos, strict=True)
        if info.type != fs.FileType.File or info.size != task.file.file_size_in_bytes
    ]


def _let_wait(connection: Connection, table: Table, table_name: str) -> list[str]:
    """Let everything wait that the table has lost.

    Returns:
        the partitions, oldest first.
    """
    problem, since, snapshots = owner_of_table(table_name), _updated_at(table) - _MARGIN, table.snapshots()
    audit, scored = PARTITION_AUDIT.c, SCORED_PARTITION.c
    if table_name == predictions_table(problem):
        known = [str(snapshot.snapshot_id) for snapshot in snapshots]
        lost = (scored.problem == problem, scored.scored_at_utc >= since, scored.snapshot_id.not_in(known))
        return let_wait(connection, table_name, connection.scalars(select(scored.partition_key).where(*lost)).all(), "")
    recent = select(audit.partition_key, audit.run_id).where(audit.problem == problem, audit.finished_at_utc >= since)
    written = {
        (key, _said(snapshot, RUN_PROPERTY))
        for snapshot in snapshots
        for key in _said(snapshot, PARTITION_PROPERTY).split(",")
    }
    waiting = {row.partition_key for row in connection.execute(recent) if tuple(row) not in written}
    if erased_since(connection, problem, since):
        # Rows of the erased may be back; ingest leaves them out, of whatever partition they are.
        waiting = set(read_statuses(connection, problem, Stage.LAND))
    sentence = f"{table_name} lost what was published of it after {_updated_at(table):%Y-%m-%d %H:%M:%S} UTC"
    return let_wait(connection, table_name, waiting, f"{sentence}; it is read again")


def let_wait(connection: Connection, table_name: str, partition_keys: Collection[str], sentence: str) -> list[str]:
    """Let partitions wait until they are written again: for ingest, or, of predictions, for the next scoring.

    Args:
        sentence: why, for whoever looks at the partition's coverage.

    Returns:
        their keys, oldest first.
    """
    problem, scored = owner_of_table(table_name), SCORED_PARTITION.c
    if table_name == predictions_table(problem):
        ours = (scored.problem == problem, is_one_of(scored.partition_key, partition_keys))
        connection.execute(delete(SCORED_PARTITION).where(*ours))
        return sorted(partition_keys)
    for key in sorted(partition_keys):
        mark(connection, problem, Stage.INGEST, key, Coverage.WAITING, detail=sentence)
    return sorted(partition_keys)


def _updated_at(table: Table) -> datetime:
    """Say when a table was last changed."""
    return datetime.fromtimestamp(table.metadata.last_updated_ms / 1_000, UTC)


def _said(snapshot: Snapshot, name: str) -> str:
    """Read what a snapshot says of itself."""
    return str((snapshot.summary.get(name) if snapshot.summary else None) or "")
