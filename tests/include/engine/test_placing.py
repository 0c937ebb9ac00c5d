from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.placing import add_partition_key, parse_time, partition_key_of, require_partition_key
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadPartition
from include.problems.sections.source import Source


def make_source(grain="month"):
    return Source(
        landing="x",
        grain=grain,
        key=["at"],
        event_time="at",
        earliest=datetime(2001, 1, 1, tzinfo=UTC),
        latest=datetime(2003, 1, 1, tzinfo=UTC),
        columns={"at": {"type": "timestamp"}},
    )


def rows_of(*texts):
    return relation_of_arrow(open_engine(), pa.table({"at": pa.array(texts, pa.string())}))


def parsed(text):
    rows = rows_of(text)
    return rows.select(at=parse_time(rows["at"])).to_pyarrow()["at"][0].as_py()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2002-08-22T18:26:25Z", datetime(2002, 8, 22, 18, 26, 25, tzinfo=UTC)),
        ("2002-08-22 18:26:25", datetime(2002, 8, 22, 18, 26, 25, tzinfo=UTC)),
        ("2002-08-22T18:26:25+07:00", datetime(2002, 8, 22, 11, 26, 25, tzinfo=UTC)),
        ("2002-08-22T18:26:25.123456Z", datetime(2002, 8, 22, 18, 26, 25, 123456, tzinfo=UTC)),
        ("2002-08-22", datetime(2002, 8, 22, tzinfo=UTC)),
        ("0102-09-01T10:00:00Z", datetime(102, 9, 1, 10, tzinfo=UTC)),
        (" 2002-08-22T18:26:25Z\t", datetime(2002, 8, 22, 18, 26, 25, tzinfo=UTC)),
    ],
)
def test_iso_times_are_read_in_utc(text, moment):
    assert parsed(text) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "infinity", "epoch", "now", "2002-13-01", "2002-02-30T00:00:00Z", "1029000000", None]
)
def test_anything_else_is_no_time(text):
    assert parsed(text) is None


@pytest.mark.parametrize(("grain", "key"), [("hour", "2002-08-22T18"), ("day", "2002-08-22"), ("month", "2002-08")])
def test_a_row_is_placed_by_the_grain_and_both_ways_agree(grain, key):
    placed = add_partition_key(rows_of("2002-08-22T18:26:25Z"), make_source(grain)).to_pyarrow()
    assert placed["_placed_key"].to_pylist() == [key]
    assert partition_key_of(datetime(2002, 8, 22, 18, 26, tzinfo=UTC), grain) == key


def test_only_times_inside_the_range_are_placed_bounds_included():
    texts = ["2000-12-31T23:59:59Z", "2001-01-01T00:00:00Z", "2003-01-01T00:00:00Z", "2003-01-01T00:00:01Z", "x", None]
    placed = add_partition_key(rows_of(*texts), make_source()).to_pyarrow().to_pylist()
    assert {row["at"]: row["_placed_key"] for row in placed} == dict(
        zip(texts, [None, "2001-01", "2003-01", None, None, None], strict=True)
    )


@pytest.mark.parametrize(("grain", "key"), [("hour", "2002-08-22T18"), ("day", "0102-09-01"), ("month", "2002-08")])
def test_a_key_of_the_grain_is_one(grain, key):
    require_partition_key(key, grain)


@pytest.mark.parametrize("key", ["2002-8", "2002-13", "2002-08-22", "../2002-08", "2002-08/..", "", "yesterday"])
def test_a_key_of_another_shape_is_refused_and_named(key):
    with pytest.raises(BadPartition, match=r"no month; write it like 2002-08"):
        require_partition_key(key, "month")
