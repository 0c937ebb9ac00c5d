"""Lets go of what nobody needs any more: old snapshots, and files that no snapshot has. Nothing else removes either.

Three rules keep every snapshot readable. A snapshot stays while it is current, was current lately, or is named by a row
of the warehouse (a model's training rows, a batch's scores). A file stays while any snapshot of its table has it,
whichever partition that snapshot changed. Both are asked, and acted on, under the table's lock, under which everybody
publishes; `writing.py` checks there that what it publishes is still in place.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from pyarrow import fs
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import Connection, Text, select

from include.engine.parquet_file import UNFINISHED
from include.lake import files
from include.lake.catalog import find_table, table_lock
from include.lake.manifest import PATH_PROPERTY
from include.lake.reading import planned_files
from include.lake.writing import PARTITION_PROPERTY
from include.names import LAKE_NAMESPACE
from include.warehouse.database import open_warehouse
from include.warehouse.tables import METADATA
from include.warehouse.tables.learning import SCORED_PARTITION
from include.warehouse.tables.quality import PARTITION_AUDIT

_OURS = re.compile(rf"/(\{UNFINISHED}[0-9a-f]+|[0-9a-f]{{32}}\.parquet)$")
# These say which commit wrote a partition's rows; the rows themselves are in the newest snapshot, too.
_RECORDS_OF_COMMITS = {PARTITION_AUDIT.name, SCORED_PARTITION.name}


def named_snapshots(connection: Connection, problem: str) -> set[str]:
    """Name the snapshots that somebody may want to read again: training rows, and the scores that a batch came from.

    Every column `..._snapshot_id` of the warehouse counts, also of tables that are added tomorrow. What reads one of a
    problem's other logs is written down by the problem's name.
    """
    found: set[str] = set()
    names = [problem, problem.partition(".")[0]]
    for table in METADATA.sorted_tables:
        if table.name in _RECORDS_OF_COMMITS or "problem" not in table.columns:
            continue
        for column in table.columns:
            if column.name.endswith("snapshot_id") and isinstance(column.type, Text):
                query = select(column).where(table.c.problem.in_(names), column.is_not(None))
                found |= set(connection.scalars(query))
    return found


def expire_snapshots(
    table_name: str, *, named_by: str | None = None, superseded_before: datetime | None = None
) -> list[str]:
    """Forget a table's old snapshots; the rows as they are now stay.

    Args:
        named_by: the problem whose named snapshots stay, whatever their age; None keeps none of them.
        superseded_before: only those go that stopped being current before. How old they are does not matter: what is
            read by a training that runs now may have been written a month ago. None: all that are not current.

    Returns:
        ids of those that are gone.
    """
    with table_lock(table_name):
        table = find_table(table_name)
        current = table.current_snapshot() if table else None
        if table is None or current is None:
            return []
        named: set[str] = set()
        if named_by is not None:
            with open_warehouse().begin() as connection:
                named = named_snapshots(connection, named_by)
        in_order = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
        old = [
            snapshot.snapshot_id
            for snapshot, following in zip(in_order, [*in_order[1:], current], strict=True)
            if snapshot.snapshot_id != current.snapshot_id
            and str(snapshot.snapshot_id) not in named
            and (superseded_before is None or following.timestamp_ms < superseded_before.timestamp() * 1_000)
        ]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
    return [str(snapshot_id) for snapshot_id in old]


def remove_earlier_attempts(table_name: str, partition_key: str, keep: Sequence[str]) -> int:
    """Remove what killed runs left in a partition's folder: files that are named as ours, and that no snapshot has.

    Args:
        keep: files that are to be published, relative to the lake.

    Returns:
        how many were removed.
    """
    folder = files.partition_folder(table_name, partition_key)
    if not _candidates(folder, keep):
        return 0
    with table_lock(table_name):
        orphans = _candidates(folder, keep)
        table = find_table(table_name)
        if table is not None and orphans:
            orphans -= _files_of_partition(table, partition_key)
        files.remove_files(sorted(orphans))
    return len(orphans)


def find_orphans(table_name: str, before: datetime, *, with_young_metadata: bool = False) -> list[str]:
    """Name the files of a table that no snapshot of it needs, relative to the lake.

    Args:
        before: younger files are left out: somebody may be about to publish them.
        with_young_metadata: name young metadata, too, which tells the bounds of every column. Only for who holds the
            table's lock, so that no commit is under way.
    """
    listed = _list_files(table_name.removeprefix(f"{LAKE_NAMESPACE}."))
    table = find_table(table_name)
    known = _files_of_table(table) if table else set()
    is_old = {path: at < before or (with_young_metadata and "/metadata/" in path) for path, at in listed.items()}
    return sorted(path for path in listed if is_old[path] and path not in known)


def remove_orphans(table_name: str, before: datetime, *, with_young_metadata: bool = False) -> int:
    """Remove the files that `find_orphans` names.

    Returns:
        how many there were.
    """
    # Mostly there are none, and then nobody is kept waiting for the listing of a large table.
    if not with_young_metadata and not find_orphans(table_name, before):
        return 0
    with table_lock(table_name):
        orphans = find_orphans(table_name, before, with_young_metadata=with_young_metadata)
        files.remove_files(orphans)
    return len(orphans)


def _candidates(folder: str, keep: Sequence[str]) -> set[str]:
    """Name the files of a folder that are named as ours, but for those to keep."""
    return {path for path in files.list_folder(folder) if _OURS.search(f"/{path}")} - set(keep)


def _files_of_partition(table: Table, partition_key: str) -> set[str]:
    """Name the files of one partition that any snapshot has.

    A snapshot that says it changed other partitions only has of this one what its parent has, and the parent is asked.
    So few are read, however long the history is; one whose parent was forgotten is always read.
    """
    snapshots = {snapshot.snapshot_id: snapshot for snapshot in table.snapshots()}
    found: set[str] = set()
    for snapshot in snapshots.values():
        changed = _property(snapshot, PARTITION_PROPERTY)
        is_like_its_parent = changed and partition_key not in changed.split(",")
        if not (is_like_its_parent and snapshot.parent_snapshot_id in snapshots):
            found |= set(planned_files(table, [partition_key], str(snapshot.snapshot_id)))
    return found


def _files_of_table(table: Table) -> set[str]:
    """Name every file that a table needs: its metadata, and what each of its snapshots is made of."""
    known = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    manifests: dict[str, ManifestFile] = {}
    for snapshot in table.snapshots():
        known.add(snapshot.manifest_list)
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        known.add(path)
        known |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    described = {path for snapshot in table.snapshots() for path in _property(snapshot, PATH_PROPERTY).split(",")}
    return {files.relative(path.removeprefix("file://")) for path in known} | described


def _property(snapshot: Snapshot, name: str) -> str:
    """Read what a snapshot says of itself; nothing where it was not written by us."""
    return str((snapshot.summary.get(name) if snapshot.summary else None) or "")


def _list_files(folder: str) -> dict[str, datetime]:
    """List all files below a folder, with the time of their last change."""
    infos = files.open_files().get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
    return {info.path: info.mtime for info in infos if info.type == fs.FileType.File}
