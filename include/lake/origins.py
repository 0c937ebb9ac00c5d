"""Reads which bytes of landing the partitions of a snapshot were made of, as the commits that wrote them say.

What does not belong here: writing that down (`manifest.py`, `publishing.py`).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from include.errors import SnapshotExpired
from include.lake.catalog import load_table
from include.lake.files import open_files
from include.lake.manifest import PATH_PROPERTY
from include.lake.recovery import PARTITION_PROPERTY


class Manifest(TypedDict, total=False):
    """What `manifest.write_manifest` gives: the objects, or the path of the file that holds them."""

    objects: list[dict[str, str]]
    path: str


@dataclass(frozen=True)
class Origin:
    """What a snapshot was made of.

    Attributes:
        committed_at: when it was current first.
        made_of: partition to its objects, each with the sha256 of its bytes. A partition is missing where the snapshot
            that wrote it has expired.
    """

    committed_at: datetime
    made_of: Mapping[str, Mapping[str, str]]


def read_origin(table_name: str, partition_keys: Collection[str], snapshot_id: str) -> Origin:
    """Read which bytes partitions of a snapshot were made of; the newest commit before it that says so is believed.

    What only rewrites rows (compaction, an erasure) names no objects, and changes nothing of where they are from.

    Raises:
        NotInLake: nothing was ever written to the table.
        LakeDamaged: it cannot be read.
        SnapshotExpired: the table has no such snapshot any more.
    """
    table = load_table(table_name)
    known = {str(snapshot.snapshot_id): snapshot for snapshot in table.snapshots()}
    asked = known.get(snapshot_id)
    if asked is None:
        raise SnapshotExpired(f"{table_name} has no snapshot {snapshot_id}; was it expired?")
    found: dict[str, Mapping[str, str]] = {}
    snapshot = asked
    while True:
        said = dict(snapshot.summary.additional_properties) if snapshot.summary else {}
        for key, manifest in _manifests(said).items():
            if key in partition_keys and key not in found:
                found[key] = _read_objects(manifest)
        parent = known.get(str(snapshot.parent_snapshot_id))
        if parent is None or len(found) == len(set(partition_keys)):
            return Origin(datetime.fromtimestamp(asked.timestamp_ms / 1_000, UTC), found)
        snapshot = parent


def _manifests(said: Mapping[str, str]) -> dict[str, Manifest]:
    """Find the manifest of each partition that a commit of `publishing.describe_snapshot` wrote."""
    if "mulgil.manifests" in said:
        several: dict[str, Manifest] = json.loads(said["mulgil.manifests"])
        return several
    partition_key = said.get(PARTITION_PROPERTY, "")
    if "mulgil.manifest" in said:
        return {partition_key: {"objects": json.loads(said["mulgil.manifest"])}}
    return {partition_key: {"path": said[PATH_PROPERTY]}} if PATH_PROPERTY in said else {}


def _read_objects(manifest: Manifest) -> Mapping[str, str]:
    """Read the objects of a manifest, each with its sha256."""
    objects = manifest.get("objects")
    if objects is None:
        with open_files().open_input_stream(manifest["path"]) as stream:
            objects = json.loads(stream.read())
    return {item["key"]: item["sha256"] for item in objects or []}
