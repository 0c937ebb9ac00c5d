import pyarrow as pa

from include.engine.partition_runs import partition_runs


def batch(*keys):
    return pa.record_batch({"_partition_key": pa.array(keys, pa.string()), "n": list(range(len(keys)))})


def read(*batches):
    return [(key, [len(piece) for piece in run]) for key, run in partition_runs(batches)]


def test_rows_are_cut_where_the_partition_changes_and_joined_over_batches():
    assert read(batch("a", "a", "b"), batch("b"), batch("b", "c")) == [("a", [2]), ("b", [1, 1, 1]), ("c", [1])]


def test_no_rows_are_no_partitions():
    assert read() == read(batch()) == []
