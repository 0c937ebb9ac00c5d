from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.event_time import (
    is_placeable,
    is_within,
    latest_of,
    parse_time,
    partition_start,
)
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.partition_keys import partition_key_of
from include.problems.sections.source import Source

pytestmark = pytest.mark.usefixtures("each_engine")


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
    "text",
    [
        "",
        "yesterday",
        "infinity",
        "epoch",
        "now",
        "2002-13-01",
        "2002-02-30T00:00:00Z",
        "abcd-ef-ghTij:kl:mnZ",
        "1029000000",
        None,
    ],
)
def test_anything_else_is_no_time(text):
    assert parsed(text) is None


def placed(texts, source, *, within):
    rows = rows_of(*texts)
    moment = parse_time(rows["at"])
    latest = latest_of(rows, source)
    asked = rows.select(start=partition_start(moment, source, latest), here=is_within(moment, source, within, latest))
    return [tuple(row.values()) for row in asked.to_pyarrow().to_pylist()]


@pytest.mark.parametrize(("grain", "key"), [("hour", "2002-08-22T18"), ("day", "2002-08-22"), ("month", "2002-08")])
def test_a_row_is_placed_by_the_grain_and_all_ways_agree(grain, key):
    ((start, is_here),) = placed(["2002-08-22T18:26:25Z"], make_source(grain), within=key)
    assert (partition_key_of(start, grain), is_here) == (key, True)
    assert partition_key_of(datetime(2002, 8, 22, 18, 26, tzinfo=UTC), grain) == key


def test_only_times_inside_the_range_are_placed_bounds_included():
    texts = ["2000-12-31T23:59:59Z", "2001-01-01T00:00:00Z", "2003-01-01T00:00:00Z", "2003-01-01T00:00:01Z", "x", None]
    first, last = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2001, 2003))
    assert placed(texts, make_source(), within="2003-01") == [
        (None, False),
        (first, False),
        (last, True),
        (None, False),
        (None, False),
        (None, False),
    ]


def test_a_range_that_starts_or_ends_inside_a_partition_cuts_it():
    texts = ["2002-05-09T23:59:59Z", "2002-05-10T00:00:00Z", "2002-05-20T00:00:00Z", "2002-05-20T00:00:01Z"]
    bounds = {"earliest": datetime(2002, 5, 10, tzinfo=UTC), "latest": datetime(2002, 5, 20, tzinfo=UTC)}
    source = make_source().model_copy(update=bounds)
    assert [is_here for _, is_here in placed(texts, source, within="2002-05")] == [False, True, True, False]
    assert not any(is_here for _, is_here in placed(texts, source, within="2002-06"))


def test_what_cannot_be_placed_is_said_so_and_never_unknown():
    rows = rows_of("2002-01-01", "2004-01-01", None)
    asked = rows.select(
        ok=is_placeable(parse_time(rows["at"]), make_source(), latest_of(rows, make_source()))
    ).to_pyarrow()
    assert asked["ok"].to_pylist() == [True, False, False]


@pytest.mark.parametrize(
    "usual", ["2002-08-22T18:26:25Z", "2002-08-22T18:26:25.000Z", "2002-08-22T18:26:25+00:00", "2002-08-22 18:26:25"]
)
def test_the_usual_shapes_are_read_like_all_others(usual):
    assert parsed(usual) == datetime(2002, 8, 22, 18, 26, 25, tzinfo=UTC)
