import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.keying import later_arrivals, row_key

pytestmark = pytest.mark.usefixtures("each_engine")


def keys_of(**columns):
    rows = relation_of_arrow(open_engine(), pa.table(columns))
    return rows.select(k=row_key([rows[name] for name in columns])).to_pyarrow()["k"].to_pylist()


def test_parts_are_joined_and_one_part_stands_as_it_is():
    assert keys_of(a=["x|y"]) == ["x|y"]
    assert keys_of(a=["x"], b=["y"]) == ["x|y"]


def test_a_bar_inside_a_part_never_makes_two_rows_one():
    first, second = keys_of(a=["x|y", "x"], b=["z", "y|z"])
    assert first != second


def test_a_key_with_a_missing_part_is_missing():
    assert keys_of(a=["x"], b=pa.array([None], pa.string())) == [None]


def test_the_first_by_object_then_line_stays_whatever_the_order_of_the_rows():
    rows = [("k", "b", 1), ("k", "a", 9), ("k", "a", 2), ("other", "a", 1)]
    for order in (rows, rows[::-1]):
        columns = dict(
            zip(("_row_key", "_object_key", "_line_number"), map(list, zip(*order, strict=True)), strict=True)
        )
        found = later_arrivals(relation_of_arrow(open_engine(), pa.table(columns))).to_pyarrow().to_pylist()
        assert sorted(tuple(row.values()) for row in found) == [("a", 9), ("b", 1)]
