"""Lets PyIceberg 0.12 commit without copying the table's whole history.

Within one commit it asks for the table's metadata some fifteen times, and copies all of it each time, to the last word
of every snapshot ever taken: a commit into a table of a thousand partitions took ten times as long as one into a table
of ten. Remove this file when `update_table_metadata` copies only what it changes.
"""

from typing import Any

from pyiceberg.table.snapshots import MetadataLogEntry, Snapshot, SnapshotLogEntry


def share_history() -> None:
    """Let copies of a table's metadata share what says how the table was; nothing in it is ever changed."""
    for kind in (Snapshot, SnapshotLogEntry, MetadataLogEntry):
        kind.__deepcopy__ = _itself  # type: ignore[method-assign, assignment]


def _itself(held: Any, _memo: Any = None) -> Any:
    """Stand in for a copy."""
    return held
