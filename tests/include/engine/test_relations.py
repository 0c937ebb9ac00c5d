import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.relations import relation_of_files
from include.engine.session import open_engine

pytestmark = pytest.mark.usefixtures("each_engine")

SCHEMA = pa.schema([("k", pa.string()), ("n", pa.float64())])


def write(folder, name, **columns):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_no_file_is_an_empty_relation_with_the_columns():
    rows = relation_of_files(open_engine(), [], SCHEMA).to_pyarrow()
    assert (rows.num_rows, rows.schema.names) == (0, ["k", "n"])


def test_a_column_that_one_file_lacks_is_null_there(tmp_path):
    paths = [write(tmp_path, "a.parquet", k=["a"]), write(tmp_path, "b.parquet", k=["b"], n=[2.5])]
    rows = relation_of_files(open_engine(), paths, SCHEMA).order_by("k").to_pyarrow()
    assert rows.to_pydict() == {"k": ["a", "b"], "n": [None, 2.5]}


def test_a_column_that_no_file_has_is_null_and_typed(tmp_path):
    rows = relation_of_files(open_engine(), [write(tmp_path, "a.parquet", k=["a"])], SCHEMA).to_pyarrow()
    assert rows["n"].to_pylist() == [None]
    assert rows.schema.field("n").type == pa.float64()


def test_columns_that_nobody_asked_for_are_left_out_and_order_is_the_schemas(tmp_path):
    path = write(tmp_path, "a.parquet", extra=[1], n=[1], k=["a"])
    assert relation_of_files(open_engine(), [path], SCHEMA).to_pyarrow().to_pydict() == {"k": ["a"], "n": [1.0]}


def test_a_folder_that_looks_like_a_hive_partition_adds_no_column(tmp_path):
    path = write(tmp_path, "k=wrong/a.parquet", k=["right"], n=[1.0])
    assert relation_of_files(open_engine(), [path], SCHEMA).to_pyarrow()["k"].to_pylist() == ["right"]
