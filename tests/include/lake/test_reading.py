import pyarrow as pa
import pytest

from include.errors import NotInLake, SnapshotExpired, StagedFileGone
from include.lake.reading import current_snapshot, hash_files, list_files, list_partitions, open_files, open_rows
from include.lake.writing import replace_partition

TABLE = "lake.flights"


@pytest.fixture
def table(house):
    for key in ("2013-01", "2013-02"):
        replace_partition(TABLE, key, pa.table({"_partition_key": [key], "v": [float(key[-1])]}))
    return house


def test_partitions_choose_rows(table):
    assert open_rows(TABLE, ["2013-02"]).to_pyarrow()["v"].to_pylist() == [2.0]
    assert open_rows(TABLE).count().execute() == 2


def test_a_partition_that_is_not_there_has_no_rows_but_all_columns(table):
    assert open_rows(TABLE, ["1999-01"]).to_pyarrow().to_pydict() == {"_partition_key": [], "v": []}
    assert open_rows(TABLE, []).count().execute() == 0


def test_an_empty_relation_can_be_used_like_a_full_one(table):
    empty = open_rows(TABLE, ["1999-01"])
    assert empty.aggregate(n=empty.count(), total=empty.v.sum()).to_pyarrow().to_pydict() == {"n": [0], "total": [None]}


def test_a_table_that_does_not_exist_is_an_error_that_names_those_that_do(table):
    with pytest.raises(NotInLake, match=r"no table 'lake.flihgts'; it has lake.flights"):
        open_rows("lake.flihgts")
    with pytest.raises(NotInLake, match="no table"):
        current_snapshot("lake.flihgts")
    assert list_partitions("lake.flihgts") == []


def test_a_snapshot_that_does_not_exist_is_an_error(table):
    with pytest.raises(SnapshotExpired, match="no snapshot 123"):
        open_rows(TABLE, snapshot_id="123")


def test_files_open_by_their_path_and_their_hash_depends_on_bytes_and_names(table):
    folder = table.home / "lake/flights/data"
    paths = sorted(str(p.relative_to(table.home / "lake")) for p in folder.rglob("*.parquet"))
    assert open_files(paths[:1]).to_pyarrow()["v"].to_pylist() == [1.0]
    assert hash_files(paths) == hash_files(paths[::-1])
    assert len({hash_files(paths), hash_files(paths[:1]), hash_files([])}) == 3


def test_a_partition_that_is_written_anew_has_other_files(table):
    before = list_files(TABLE, ["2013-01", "2013-02"])
    assert (len(before), list_files(TABLE, ["1999-01"]), list_files("lake.none", ["2013-01"])) == (2, [], [])
    replace_partition(TABLE, "2013-01", pa.table({"_partition_key": ["2013-01"], "v": [9.0]}))
    assert len({*before} & {*list_files(TABLE, ["2013-01", "2013-02"])}) == 1


def test_a_staged_file_that_is_gone_says_what_to_clear(table):
    with pytest.raises(StagedFileGone, match=r"gone.parquet is gone.*Clear `stage_partition`"):
        hash_files(["flights/gone.parquet"])


def test_no_file_and_no_schema_is_refused(table):
    with pytest.raises(ValueError, match="path or a schema"):
        open_files([])
