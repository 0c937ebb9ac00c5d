import copy

import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.update import AssertRefSnapshotId

from include.lake.catalog import load_table, one_commit
from include.lake.writing import replace_partition

TABLE, OTHER = "lake.flights", "lake.mail"


def publish(table=TABLE, key="2013-01"):
    return replace_partition(table, key, pa.table({"_partition_key": [key], "v": [1.0]}))


def test_what_is_added_to_a_copy_is_not_in_the_original(house):
    publish()
    metadata = load_table(TABLE).metadata
    copied = copy.deepcopy(metadata)
    copied.snapshots.clear()
    copied.properties["mine"] = "yes"
    copied.refs.clear()
    assert len(metadata.snapshots) == 1
    assert "mine" not in metadata.properties
    assert list(metadata.refs) == ["main"]


def test_metadata_is_read_once_as_long_as_nobody_commits(house):
    publish()
    first = load_table(TABLE).metadata
    assert load_table(TABLE).metadata is first
    publish(key="2013-02")
    assert len(load_table(TABLE).metadata.snapshots) == 2


def test_two_tables_read_in_turn_are_not_taken_for_each_other(house):
    publish(TABLE)
    publish(OTHER)
    found = [load_table(name) for name in (TABLE, OTHER, TABLE, OTHER, OTHER)]
    assert [table.name()[1] for table in found] == ["flights", "mail", "flights", "mail", "mail"]
    assert len({table.metadata.table_uuid for table in found}) == 2


def test_a_commit_on_what_was_read_before_another_commit_is_refused(house):
    publish()
    stale = load_table(TABLE)
    publish(key="2013-02")
    seen = AssertRefSnapshotId(ref="main", snapshot_id=stale.current_snapshot().snapshot_id)
    with pytest.raises(CommitFailedException, match="main has changed"):
        stale.catalog.commit_table(stale, (seen,), ())


def test_a_commit_that_was_rolled_back_is_read_by_nobody(house):
    publish()
    before = load_table(TABLE).metadata

    def break_off():
        with one_commit() as commit:
            commit.catalog.load_table(TABLE).transaction().set_properties({"half": "done"}).commit_transaction()
            assert "half" in commit.catalog.load_table(TABLE).properties
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert load_table(TABLE).metadata == before
