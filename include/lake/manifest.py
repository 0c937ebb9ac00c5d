"""Writes down which objects a partition was made of, to be committed with its rows: what was read is not read twice."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from include.lake import files
from include.lake.sources import Feed
from include.names import LAKE_NAMESPACE

# Snapshot properties stand in the table's metadata, which every reader loads: thousands of objects do not belong there.
INLINE_BYTES = 1_024
PATH_PROPERTY = "mulgil.manifest_path"  # of a snapshot whose manifest is a file; of several, with commas between


def manifest_folder(table_name: str, partition_key: str) -> str:
    """Name the folder of a partition's manifests, relative to the lake; snapshots name the files in it."""
    return f"{table_name.removeprefix(f'{LAKE_NAMESPACE}.')}/manifests/{partition_key}"


def write_manifest(
    table_name: str, partition_key: str, feeds: Sequence[Feed], n_records: Mapping[str, int]
) -> dict[str, object]:
    """Describe the objects that feed a partition.

    Args:
        n_records: object key to how many records it holds, whatever partition they belong to.

    Returns:
        `n_objects`, and either `objects`, each with key, size_bytes, version, sha256, n_rows (of this partition, as
        landing counted them) and n_records, or, when they are many, `path` (relative to the lake) and `sha256` of a
        file that holds them as JSON.
    """
    objects = [
        {
            "key": feed.object_key,
            "size_bytes": feed.size_bytes,
            "version": feed.version,
            "sha256": feed.fingerprint,
            "n_rows": feed.n_rows,
            "n_records": n_records.get(feed.object_key, 0),
        }
        for feed in feeds
    ]
    content = json.dumps(objects).encode()
    if len(content) <= INLINE_BYTES:
        return {"n_objects": len(objects), "objects": objects}
    folder = manifest_folder(table_name, partition_key)
    with files.unfinished_file(folder) as path:
        path.write_bytes(content)
        kept = files.keep_file(path, folder, "json")
    return {"n_objects": len(objects), "path": kept, "sha256": hashlib.sha256(content).hexdigest()}
