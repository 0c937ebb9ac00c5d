import json

import pyarrow as pa
import pytest

from include.errors import SnapshotExpired
from include.lake.files import keep_file, unfinished_file
from include.lake.origins import read_origin
from include.lake.publishing import describe_snapshot
from include.lake.writing import replace_partition, replace_partitions
from include.quality.contracts import Audited

AUDIT = Audited("pass", None, 0, {}, "", 1)


def write(made_of=None, keys=("2013-01",), more=None):
    rows = pa.table({"_row_key": [f"{key} {made_of} {more}" for key in keys], "_partition_key": list(keys)})
    properties = describe_snapshot("r", {key: (said, AUDIT) for key, said in made_of.items()}) if made_of else more
    return replace_partitions("lake.flights", list(keys), rows, properties)


def inline(*pairs):
    return {"objects": [{"key": key, "sha256": sha256} for key, sha256 in pairs]}


def test_the_newest_commit_before_a_snapshot_says_what_a_partition_is_made_of(house):
    first = write({"2013-01": inline(("a", "1")), "2013-02": inline(("b", "2"))}, ("2013-01", "2013-02"))
    write(more={"mulgil.change": "compaction"})
    second = write({"2013-01": inline(("a", "3"))})
    both = ["2013-01", "2013-02"]
    assert read_origin("lake.flights", both, first).made_of == {"2013-01": {"a": "1"}, "2013-02": {"b": "2"}}
    assert read_origin("lake.flights", both, second).made_of == {"2013-01": {"a": "3"}, "2013-02": {"b": "2"}}
    assert read_origin("lake.flights", ["2013-02"], second).made_of == {"2013-02": {"b": "2"}}


def test_a_manifest_that_is_a_file_is_read(house):
    with unfinished_file("flights/manifests/2013-01") as path:
        path.write_text(json.dumps(inline(("a|\u2028", "9"))["objects"]))
        kept = keep_file(path, "flights/manifests/2013-01", "json")
    snapshot = write({"2013-01": {"n_objects": 1, "path": kept, "sha256": "x"}})
    assert read_origin("lake.flights", ["2013-01"], snapshot).made_of == {"2013-01": {"a|\u2028": "9"}}


def test_what_no_commit_says_is_missing_and_no_snapshot_is_refused(house):
    snapshot = replace_partition(
        "lake.flights", "2013-01", pa.table({"_row_key": ["a"], "_partition_key": ["2013-01"]})
    )
    assert read_origin("lake.flights", ["2013-01"], snapshot).made_of == {}
    with pytest.raises(SnapshotExpired, match="has no snapshot 1; was it expired"):
        read_origin("lake.flights", ["2013-01"], "1")
