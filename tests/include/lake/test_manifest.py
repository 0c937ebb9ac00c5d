import hashlib
import json

import pytest

from include.lake import files, manifest
from include.lake.catalog import load_table
from include.lake.sources import Feed
from include.lake.steps import stage_partition
from include.warehouse.tables.quality import PARTITION_AUDIT
from tests.include.lake.test_steps import EVENTS, JANUARY, audit_row, ingest, land

FEED = Feed("flights/a.jsonl", 10, "v1", "f" * 64, 2, True, None)


def snapshot_summary():
    return load_table(EVENTS).current_snapshot().summary


def test_a_snapshot_names_the_objects_and_the_audited_files_it_was_made_of(landing, flight):
    key = landing.drop("a.jsonl", flight("a"), flight("b", "2013-02-01T00:00:00Z"), flight("c", gate="x"))
    land()
    ingest()
    content = (landing.folder / key).read_bytes()
    (item,) = json.loads(snapshot_summary()["mulgil.manifest"])
    assert (item["key"], item["size_bytes"], item["n_rows"], item["n_records"]) == (key, len(content), 2, 3)
    assert item["sha256"] == hashlib.sha256(content).hexdigest()
    audited = json.loads(snapshot_summary()["mulgil.files"])
    assert audited == json.loads(audit_row(landing)["files"])
    assert {path: files.hash_file(path) for path in audited} == audited
    assert {task.file.file_path for task in load_table(EVENTS).scan().plan_files()} == set(map(files.absolute, audited))
    assert PARTITION_AUDIT.c.files.comment


def test_a_manifest_too_large_for_a_snapshot_is_a_file_that_the_snapshot_names(landing, flight, monkeypatch):
    monkeypatch.setattr(manifest, "INLINE_BYTES", 10)
    landing.drop("a.jsonl", flight("a"))
    land()
    staged = stage_partition(problem="flights", partition_key=JANUARY)["manifest"]
    ingest()
    summary = snapshot_summary()
    assert summary.get("mulgil.manifest") is None
    assert (summary["mulgil.manifest_path"], summary["mulgil.manifest_n_objects"]) == (staged["path"], "1")
    content = (landing.house.home / "lake" / staged["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == summary["mulgil.manifest_sha256"]
    assert json.loads(content)[0]["key"] == "flights/a.jsonl"


@pytest.mark.parametrize("n_feeds", [0, 1, 5])
def test_small_manifests_stay_with_the_snapshot(n_feeds):
    written = manifest.write_manifest(EVENTS, JANUARY, [FEED] * n_feeds, {FEED.object_key: 7})
    assert (written["n_objects"], len(written["objects"])) == (n_feeds, n_feeds)
    assert all(item["n_records"] == 7 for item in written["objects"])
