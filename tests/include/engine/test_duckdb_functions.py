import os
import pickle

import duckdb
import pyarrow as pa
import pytest

from include.engine.duckdb_functions import RowsFunction, ask, column_function

NUMBERS = pa.table({"n": [3, 1, None, 2]})


def test_rows_are_answered_in_their_order_and_nothing_of_them_stays():
    assert ask("SELECT n * 2 AS value FROM rows", NUMBERS)["value"].to_pylist() == [6, 2, None, 4]
    assert ask("SELECT count(*) AS value FROM rows", pa.table({"m": [1]}))["value"].to_pylist() == [1]


def test_a_query_that_fails_leaves_no_rows_behind():
    with pytest.raises(duckdb.Error):
        ask("SELECT nothing FROM rows", NUMBERS)
    with pytest.raises(duckdb.CatalogException, match="rows does not exist"):
        duckdb_rows()


def duckdb_rows():
    from include.engine import duckdb_functions

    return duckdb_functions._connection(os.getpid()).sql("SELECT * FROM rows").fetchall()


def test_times_are_told_in_utc_and_nothing_is_fetched():
    (shown,) = ask("SELECT CAST(TIMESTAMPTZ '2013-01-01T00:30:00+02:00' AS VARCHAR) AS value", NUMBERS)["value"]
    assert shown.as_py() == "2012-12-31 22:30:00+00"
    settings = ("autoinstall_known_extensions", "autoload_known_extensions", "threads")
    asked = ", ".join(f"current_setting('{name}')::VARCHAR AS {name}" for name in settings)
    assert ask(f"SELECT {asked}", NUMBERS).to_pylist() == [dict(zip(settings, ("false", "false", "1"), strict=True))]


def test_a_function_of_columns_takes_them_by_place_and_gives_one_array():
    minus = column_function("SELECT a - b AS value FROM rows", ["a", "b"])
    answer = minus(pa.array([5, 7]), pa.array([1, None]))
    assert isinstance(answer, pa.Array)
    assert answer.to_pylist() == [4, None]
    with pytest.raises(ValueError, match="argument 2 is longer"):
        minus(pa.array([5]), pa.array([1]), pa.array([1]))


def test_a_function_of_rows_travels_and_gives_the_columns_and_types_it_promised():
    schema = pa.schema([("twice", pa.int64()), ("n", pa.int32())])
    travelled = pickle.loads(pickle.dumps(RowsFunction("SELECT n, n * 2 AS twice, 'x' AS more FROM rows", schema)))  # noqa: S301 - our own
    batches = [
        pa.record_batch({"n": [1, 2]}),
        pa.record_batch({"n": pa.array([], pa.int64())}),
        pa.record_batch({"n": [3]}),
    ]
    answer = pa.Table.from_batches(travelled(iter(batches)), schema)
    assert answer.to_pydict() == {"twice": [2, 4, 6], "n": [1, 2, 3]}
