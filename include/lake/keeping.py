"""Lets go of what nobody needs: old snapshots, and files that no snapshot knows.

What does not belong here: which snapshots are still needed; the caller says so.
"""

from collections.abc import Collection
from datetime import datetime

from pyarrow import fs
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from include.lake import files
from include.lake.catalog import find_table, table_lock
from include.names import LAKE_NAMESPACE

MANIFEST_PROPERTY = "mulgil.manifest_path"


def expire_snapshots(table_name: str, *, keep: Collection[str] = (), before: datetime | None = None) -> list[str]:
    """Forget a table's old snapshots; the rows as they are now stay.

    Args:
        keep: ids of snapshots that stay whatever their age.
        before: only older ones go; all when None.

    Returns:
        ids of those that are gone.
    """
    with table_lock(table_name):
        table = find_table(table_name)
        current = table.current_snapshot() if table else None
        if table is None or current is None:
            return []
        old = [
            snapshot.snapshot_id
            for snapshot in table.snapshots()
            if snapshot.snapshot_id != current.snapshot_id
            and str(snapshot.snapshot_id) not in keep
            and (before is None or snapshot.timestamp_ms < before.timestamp() * 1_000)
        ]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
    return [str(snapshot_id) for snapshot_id in old]


def find_orphans(table_name: str, before: datetime, *, is_locked: bool = False) -> list[str]:
    """Name the files of a table that no snapshot of it needs, relative to the lake.

    Args:
        before: younger files are left out: somebody may be about to publish them.
        is_locked: whether the caller holds the table's lock, so that no commit is under way: young metadata, which
            tells the bounds of every column, is named, too.
    """
    # Listed first: what is committed between is known to the table by the time that it is asked.
    listed = _list_files(table_name.removeprefix(f"{LAKE_NAMESPACE}."))
    table = find_table(table_name)
    known = _known_files(table) if table else set()
    is_old = {path: moment < before or (is_locked and "/metadata/" in path) for path, moment in listed.items()}
    return sorted(path for path in listed if is_old[path] and path not in known)


def remove_orphans(table_name: str, before: datetime, *, is_locked: bool = False) -> int:
    """Remove the files that `find_orphans` names.

    Returns:
        how many there were.
    """
    orphans = find_orphans(table_name, before, is_locked=is_locked)
    files.remove_files(orphans)
    return len(orphans)


def _list_files(folder: str) -> dict[str, datetime]:
    """List all files below a folder, with the time of their last change."""
    infos = files.open_files().get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
    return {info.path: info.mtime for info in infos if info.type == fs.FileType.File}


def _known_files(table: Table) -> set[str]:
    """Name every file that a table needs: its metadata, and what each of its snapshots is made of."""
    known = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    manifests: dict[str, ManifestFile] = {}
    paths = set()
    for snapshot in table.snapshots():
        known.add(snapshot.manifest_list)
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
        paths.add((snapshot.summary.get(MANIFEST_PROPERTY) if snapshot.summary else None) or "")
    for path, manifest in manifests.items():
        known.add(path)
        known |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return {files.relative(path.removeprefix("file://")) for path in known} | paths
