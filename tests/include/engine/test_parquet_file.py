import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from include.engine.parquet_file import ROW_GROUP_ROWS, write_file

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string())])


@pytest.fixture
def files(tmp_path):
    return fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())


def batch(*numbers):
    return pa.record_batch({"n": numbers, "text": [f"text {number}" for number in numbers]}, schema=SCHEMA)


def held(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_same_rows_however_batched_are_one_file_and_others_another(files, tmp_path):
    path, n_rows = write_file(files, "data", SCHEMA, [batch(1, 2), batch(3)])
    assert (write_file(files, "data", SCHEMA, [batch(1), batch(2, 3)]), n_rows) == ((path, 3), 3)
    assert write_file(files, "data", SCHEMA, [batch(3, 2, 1)])[0] != path
    assert pq.read_table(tmp_path / path)["n"].to_pylist() == [1, 2, 3]
    assert len(held(tmp_path / "data")) == 2


def test_a_write_that_breaks_off_leaves_nothing_under_a_files_name(files, tmp_path):
    def breaking():
        yield batch(1)
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="the disk is away"):
        write_file(files, "data", SCHEMA, breaking())
    assert [name for name in held(tmp_path / "data") if name.endswith(".parquet")] == []


def test_no_row_is_a_file_with_the_columns(files, tmp_path):
    path, n_rows = write_file(files, "data", SCHEMA, [])
    assert (n_rows, pq.read_schema(tmp_path / path)) == (0, SCHEMA)


def test_small_batches_share_a_group_of_rows_and_large_ones_are_split(files, tmp_path):
    small = (batch(*range(start, start + 1_000)) for start in range(0, ROW_GROUP_ROWS, 1_000))
    path, n_rows = write_file(files, "data", SCHEMA, [*small, batch(*range(ROW_GROUP_ROWS * 2 + 1))])
    groups = pq.read_metadata(tmp_path / path)
    sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert sum(sizes) == n_rows
    assert max(sizes) == ROW_GROUP_ROWS
    assert len(sizes) <= 5


def test_rows_are_given_the_types_of_the_schema(files, tmp_path):
    path, _ = write_file(files, "data", SCHEMA, [pa.table({"n": pa.array([1], pa.int32()), "text": ["a"]})])
    assert pq.read_schema(tmp_path / path).field("n").type == pa.int64()
    with pytest.raises(ValueError, match="schema"):
        write_file(files, "data", SCHEMA, [pa.table({"m": [1], "text": ["a"]})])
