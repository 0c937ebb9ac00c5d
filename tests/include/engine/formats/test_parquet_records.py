import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.formats.fields import NO_COLUMN, Wanted, plain_fields
from include.engine.formats.parquet_records import read_rows


def read(column, wanted=None):
    held = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": column, "b": pa.nulls(len(column))}), held)
    rows = [row for batch in read_rows("k", io.BytesIO(held.getvalue()), wanted) for row in batch.to_pylist()]
    return [json.loads(row["_document"])["a"] for row in rows], [row["_flaw"] for row in rows]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([b"caf\xc3\xa9", None], pa.large_binary()), ["caf\u00e9", None]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([Decimal("1E+3"), Decimal("0.5")], pa.decimal128(10, 4)), ["1000.0000", "0.5000"]),
        (pa.array([0, 2_932_897], pa.date32()), ["1970-01-01", "10000-01-01"]),
        (pa.array([0, 2**62], pa.timestamp("us")), ["1970-01-01T00:00:00", "148108-07-06T14:00:27.387904"]),
        (pa.array([-(2**63)], pa.timestamp("us", tz="UTC")), ["-9223372036854775808 us since 1970"]),
        (pa.array([[2**62], None], pa.list_(pa.timestamp("us"))), [["148108-07-06T14:00:27.387904"], None]),
        (pa.array([{"b": datetime(2013, 1, 5, tzinfo=UTC)}]), [{"b": "2013-01-05T00:00:00+00:00"}]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    ],
)
def test_every_type_is_written_as_the_text_or_number_it_is(column, values):
    assert read(column) == (values, [None] * len(values))


def test_only_a_declared_column_tells_of_bytes_that_are_no_text():
    column = pa.array([b"ok", b"\xff", None])
    assert read(column) == (["ok", "\\xff", None], [None, "a is not UTF-8", None])
    assert read(column, wanted=Wanted(plain_fields(["b"])))[1] == [None, None, None]


def test_an_object_without_any_declared_column_is_one_flaw():
    held = pa.BufferOutputStream()
    pq.write_table(pa.table({"z": ["x", "y"]}), held)
    rows = [
        row
        for batch in read_rows("k", io.BytesIO(held.getvalue()), Wanted(plain_fields(["a"])))
        for row in batch.to_pylist()
    ]
    assert [row["_flaw"] for row in rows] == [NO_COLUMN]
