import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pyarrow as pa
import pytest

from include.errors import LakeConflict, RowsOutsidePartition
from include.lake import files
from include.lake.catalog import find_table, load_table
from include.lake.reading import current_snapshot, list_partitions, open_rows
from include.lake.writing import replace_by_batches, replace_partition, replace_partitions

TABLE = "lake.flights"


def make_rows(partition_key, values=(1.0,), **more):
    n = len(values)
    columns = {"_partition_key": pa.array([partition_key] * n, pa.string()), "v": pa.array(values, pa.float64())}
    return pa.table(columns | more)


def values_of(partitions=None, snapshot_id=None):
    return sorted(open_rows(TABLE, partitions, snapshot_id).to_pyarrow()["v"].to_pylist())


def write_many(keys):
    for key in keys:
        replace_partition(TABLE, key, make_rows(key, [1.0, 2.0]))
    return len(keys)


def test_a_partition_is_replaced_and_its_neighbour_is_not(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01", [1.0, 2.0]))
    replace_partition(TABLE, "2013-02", make_rows("2013-02", [3.0]))
    replace_partition(TABLE, "2013-01", make_rows("2013-01", [4.0]))
    assert values_of() == [3.0, 4.0]
    assert list_partitions(TABLE) == ["2013-01", "2013-02"]


def test_several_partitions_are_replaced_by_one_commit_and_their_neighbour_is_not(house):
    for key, value in (("2013-01", 1.0), ("2013-02", 2.0), ("2013-03", 3.0)):
        replace_partition(TABLE, key, make_rows(key, [value]))
    before = len(load_table(TABLE).snapshots())
    rows = pa.concat_tables([make_rows("2013-03", [30.0]), make_rows("2013-02", [20.0])])
    assert replace_partitions(TABLE, ["2013-02", "2013-03"], rows) == current_snapshot(TABLE)
    assert values_of() == [1.0, 20.0, 30.0]
    # Iceberg writes the removal and the addition as two snapshots of one commit.
    assert len(load_table(TABLE).snapshots()) == before + 2


def test_a_partition_named_without_rows_is_emptied(house):
    for key in ("2013-01", "2013-02"):
        replace_partition(TABLE, key, make_rows(key, [1.0]))
    replace_partitions(TABLE, ["2013-01", "2013-02"], make_rows("2013-02", [2.0]))
    assert values_of() == [2.0]


def test_writing_the_same_rows_again_commits_nothing(house):
    first = replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    assert replace_partition(TABLE, "2013-01", make_rows("2013-01")) == first == current_snapshot(TABLE)


def test_writing_the_same_rows_again_names_the_snapshot_that_brought_them(house):
    first = replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    replace_partition(TABLE, "2013-02", make_rows("2013-02"))
    assert replace_partition(TABLE, "2013-01", make_rows("2013-01")) == first != current_snapshot(TABLE)


def test_an_old_snapshot_still_has_its_rows(house):
    first = replace_partition(TABLE, "2013-01", make_rows("2013-01", [1.0]))
    second = replace_partition(TABLE, "2013-01", make_rows("2013-01", [2.0]))
    assert values_of(snapshot_id=first) == [1.0]
    assert values_of(snapshot_id=second) == [2.0]


def test_no_rows_empty_a_partition(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    replace_partition(TABLE, "2013-02", make_rows("2013-02", [3.0]))
    replace_partition(TABLE, "2013-01", make_rows("2013-01", []))
    assert values_of() == [3.0]
    assert list_partitions(TABLE) == ["2013-02"]


def test_no_rows_at_first_use_make_an_empty_table_with_its_columns(house):
    snapshot = replace_partition(TABLE, "2013-01", make_rows("2013-01", []))
    assert snapshot == current_snapshot(TABLE)
    rows = open_rows(TABLE).to_pyarrow()
    assert (rows.num_rows, rows.schema.names) == (0, ["_partition_key", "v"])


def test_a_new_column_is_added_and_old_rows_have_null_there(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01", [1.0]))
    replace_partition(TABLE, "2013-02", make_rows("2013-02", [2.0], w=pa.array(["x"])))
    replace_partition(TABLE, "2013-03", make_rows("2013-03", [3.0]))
    rows = open_rows(TABLE).order_by("v").to_pyarrow()
    assert rows["w"].to_pylist() == [None, "x", None]
    assert open_rows(TABLE, ["2013-01"]).to_pyarrow()["w"].to_pylist() == [None]


def test_pandas_and_arrow_spellings_of_a_type_are_stored_as_one(house):
    rows = make_rows("2013-01", [1.0], s=pa.array(["a"], pa.large_string()), i=pa.array([1], pa.int32()))
    replace_partition(TABLE, "2013-01", rows)
    again = make_rows("2013-02", [1], s=pa.array(["b"]).dictionary_encode(), i=pa.array([2], pa.int64()))
    replace_partition(TABLE, "2013-02", again)
    assert open_rows(TABLE).order_by("i").to_pyarrow()["s"].to_pylist() == ["a", "b"]


def test_times_are_utc_microseconds(house):
    rows = make_rows("2013-01", [1.0], at=pa.array([1_000_000_123], pa.timestamp("ns", tz="Asia/Seoul")))
    with pytest.raises(pa.ArrowInvalid, match="lose data"):
        replace_partition(TABLE, "2013-01", rows)
    rows = make_rows("2013-01", [1.0], at=pa.array([1_000_000_000], pa.timestamp("ns", tz="Asia/Seoul")))
    replace_partition(TABLE, "2013-01", rows)
    assert open_rows(TABLE).to_pyarrow().schema.field("at").type == pa.timestamp("us", tz="UTC")


def test_one_row_outside_the_partition_is_refused_and_named(house):
    rows = pa.concat_tables([make_rows("2013-01"), make_rows("2013-02")])
    with pytest.raises(RowsOutsidePartition, match=r"1 of 2 rows.*'2013-01'.*'2013-02'"):
        replace_partition(TABLE, "2013-01", rows)


def test_a_row_without_a_partition_is_outside_of_every_one(house):
    rows = pa.table({"_partition_key": pa.array(["2013-01", None]), "v": [1.0, 2.0]})
    with pytest.raises(RowsOutsidePartition, match="1 of 2 rows"):
        replace_partition(TABLE, "2013-01", rows)


def test_a_published_column_keeps_its_type(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    rows = pa.table({"_partition_key": ["2013-02"], "v": ["12"]})
    with pytest.raises(LakeConflict, match=r"'v' is double.*string"):
        replace_partition(TABLE, "2013-02", rows)


def test_an_untyped_column_takes_the_tables_type_or_is_refused(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    replace_partition(TABLE, "2013-02", pa.table({"_partition_key": ["2013-02"], "v": pa.nulls(1)}))
    assert open_rows(TABLE, ["2013-02"]).to_pyarrow()["v"].to_pylist() == [None]
    with pytest.raises(RowsOutsidePartition, match=r"'w'.*only nulls"):
        replace_partition(TABLE, "2013-03", make_rows("2013-03", w=pa.nulls(1)))


def test_properties_are_kept_with_the_snapshot(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01"), {"run_id": "r1"})
    summary = load_table(TABLE).current_snapshot().summary
    assert summary["run_id"] == "r1"
    assert summary["mulgil.partition_key"] == "2013-01"


def test_a_broken_write_leaves_no_file(house):
    def batches():
        yield make_rows("2013-01")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        files.write_parquet("flights/data/2013-01", make_rows("2013-01").schema, batches())
    assert list((house.home / "lake/flights/data/2013-01").iterdir()) == []


@pytest.mark.slow
def test_six_processes_that_make_and_write_one_table_lose_and_double_nothing(house):
    keys = [f"2013-{month:02d}" for month in range(1, 13)]
    # Each key is written by two processes: the same partition at the same time, too.
    shares = [keys[i::3] for i in range(3)] * 2
    with ProcessPoolExecutor(6, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert sum(pool.map(write_many, shares)) == 24
    assert list_partitions(TABLE) == keys
    assert values_of() == sorted([1.0, 2.0] * 12)


def test_copies_of_a_tables_metadata_share_its_history_and_nothing_else(house):
    for key in ("2013-01", "2013-02"):
        replace_partition(TABLE, key, pa.table({"_partition_key": [key]}))
    metadata = load_table(TABLE).metadata
    copied = metadata.model_copy(deep=True)
    assert [ours is theirs for ours, theirs in zip(copied.snapshots, metadata.snapshots, strict=True)] == [True, True]
    assert copied.snapshots is not metadata.snapshots
    assert copied.properties is not metadata.properties
    assert copied == metadata


def test_one_process_sees_what_another_committed_since_it_read_the_table(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01", [1.0]))
    assert values_of() == [1.0]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(write_many, ["2013-02"]).result() == 1
    assert values_of() == [1.0, 1.0, 2.0]
    replace_partition(TABLE, "2013-01", make_rows("2013-01", [4.0]))
    assert values_of() == [1.0, 2.0, 4.0]


def test_many_commits_leave_a_short_list_of_manifests_and_every_row_where_it_was(house):
    keys = [f"2013-01-{day:02d}" for day in range(1, 31)]
    for key in keys:
        replace_partition(TABLE, key, make_rows(key, [1.0]))
    table = load_table(TABLE)
    assert len(table.current_snapshot().manifests(table.io)) < 20
    replace_partition(TABLE, keys[3], make_rows(keys[3], [5.0]))
    assert values_of([keys[3]]) == [5.0]
    assert values_of() == [1.0] * 29 + [5.0]
    assert list_partitions(TABLE) == keys


def test_a_table_from_before_a_property_is_given_it_and_keeps_what_somebody_chose(house):
    replace_partition(TABLE, "2013-01", make_rows("2013-01"))
    with load_table(TABLE).transaction() as transaction:
        transaction.remove_properties("commit.manifest-merge.enabled")
        transaction.set_properties({"commit.retry.num-retries": "3"})
    replace_partition(TABLE, "2013-02", make_rows("2013-02"))
    properties = load_table(TABLE).properties
    assert (properties["commit.manifest-merge.enabled"], properties["commit.retry.num-retries"]) == ("true", "3")


KEYED = pa.schema({"_partition_key": pa.string(), "_row_key": pa.string(), "v": pa.float64()})


def source_rows(*keys, n_rows=100):
    """Put rows of some partitions into a lake table, and open it."""
    for key in keys:
        names = pa.array([f"{key}-{i:04d}" for i in range(n_rows)])
        replace_partition("lake.source", key, make_rows(key, range(n_rows), _row_key=names))
    return open_rows("lake.source", list(keys))


def halved(batches):
    for batch in batches:
        columns = [batch["_partition_key"], batch["_row_key"], pa.compute.divide(batch["v"].cast(pa.float64()), 2)]
        yield pa.record_batch(columns, schema=KEYED)


def test_what_a_function_gives_for_rows_replaces_partitions_by_one_commit(house):
    rows = source_rows("2013-01", "2013-02")
    replace_partition(TABLE, "2013-02", make_rows("2013-02", [7.0], _row_key=["gone"]))
    replace_partition(TABLE, "2013-03", make_rows("2013-03", [8.0], _row_key=["stays"]))
    keys = ["2013-01", "2013-02", "2013-04"]
    snapshot, n_rows = replace_by_batches(TABLE, keys, rows, halved, KEYED, n_at_once=30)
    assert snapshot == current_snapshot(TABLE)
    assert n_rows == {"2013-01": 100, "2013-02": 100}
    assert n_rows["2013-04"] == 0
    assert values_of() == sorted([*(i / 2 for i in range(100)), *(i / 2 for i in range(100)), 8.0])
    assert list_partitions(TABLE) == ["2013-01", "2013-02", "2013-03"]


def test_the_same_rows_in_batches_again_change_nothing(house):
    rows = source_rows("2013-01", "2013-02")
    first, again = (
        replace_by_batches(TABLE, ["2013-01", "2013-02"], rows, halved, KEYED, n_at_once=n)[0] for n in (30, 30)
    )
    assert first == again


def test_a_row_of_another_partition_among_good_ones_changes_nothing(house):
    rows = source_rows("2013-01", "2013-02")
    with pytest.raises(RowsOutsidePartition, match=r"outside of '2013-01'.*'2013-02'"):
        replace_by_batches(TABLE, ["2013-01"], rows, halved, KEYED, n_at_once=30)
    assert find_table(TABLE) is None
