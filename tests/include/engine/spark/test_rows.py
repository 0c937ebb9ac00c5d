import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from include.engine.spark.rows import relation_of_arrow, relation_of_files, relation_of_tasks

pytestmark = pytest.mark.xdist_group("spark")

SCHEMA = pa.schema([("k", pa.string()), ("n", pa.float64())])


def test_files_of_several_schemas_are_one_relation(spark_engine, tmp_path):
    held = {"whole": {"k": ["a"], "n": [1]}, "doubles": {"n": [2.5], "k": ["b"]}, "without": {"k": ["c"], "x": [1]}}
    for name, columns in held.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    paths = [str(tmp_path / f"{name}.parquet") for name in held]
    rows = relation_of_files(spark_engine, paths, SCHEMA).order_by("k").to_pyarrow()
    assert (rows.schema, rows.to_pydict()) == (SCHEMA, {"k": ["a", "b", "c"], "n": [1.0, 2.5, None]})


def test_a_table_and_a_dataset_give_their_rows_and_types(spark_engine, tmp_path):
    table = pa.table({"k": ["a", None], "n": [float("nan"), 2.0]}, schema=SCHEMA)
    pq.write_table(table, tmp_path / "a.parquet")
    for source in (table, ds.dataset(tmp_path, schema=SCHEMA)):
        rows = relation_of_arrow(spark_engine, source).to_pyarrow()
        assert rows.schema == SCHEMA
        assert sorted(map(str, rows["n"].to_pylist())) == ["2.0", "nan"]


def test_each_task_is_run_once_for_a_query_and_no_task_is_no_row(spark_engine):
    tasks = [lambda k=k: [pa.record_batch({"k": [k], "n": [1.0]}, schema=SCHEMA)] for k in "abc"]
    assert sorted(relation_of_tasks(spark_engine, tasks, SCHEMA).to_pyarrow()["k"].to_pylist()) == ["a", "b", "c"]
    none = relation_of_tasks(spark_engine, [], SCHEMA).to_pyarrow()
    assert (none.num_rows, none.schema) == (0, SCHEMA)
