"""Removes what killed runs left behind: files of a partition that no snapshot ever knew."""

import re
from collections.abc import Sequence

from include.engine.parquet_files import UNFINISHED
from include.lake import files
from include.lake.catalog import find_table
from include.lake.reading import planned_files
from include.lake.writing import PARTITION_PROPERTY

_OURS = re.compile(rf"/(\{UNFINISHED}[0-9a-f]+|[0-9a-f]{{32}}\.parquet)$")


def remove_leftovers(table_name: str, partition_key: str, keep: Sequence[str]) -> int:
    """Remove a partition's unpublished files, except those in `keep`.

    Only files that are named as ours are touched, and none that a snapshot of this partition, however old, still has.

    Returns:
        how many were removed.
    """
    folder = files.partition_folder(table_name, partition_key)
    candidates = {path for path in files.list_folder(folder) if _OURS.search(f"/{path}")} - set(keep)
    if not candidates:
        return 0
    table = find_table(table_name)
    if table is not None:
        candidates -= set(planned_files(table, [partition_key]))
        for snapshot in table.snapshots() if candidates else []:
            if snapshot.summary is not None and snapshot.summary.get(PARTITION_PROPERTY) == partition_key:
                candidates -= set(planned_files(table, [partition_key], str(snapshot.snapshot_id)))
    files.remove_files(sorted(candidates))
    return len(candidates)
