import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.formats.fields import wanted_of
from include.engine.formats.read_records import read_records
from include.engine.formats.record_batches import SCHEMA, with_times
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.engine.timed_fields import read_fields, read_times
from include.problems.sections.source import Source

pytestmark = pytest.mark.usefixtures("each_engine")

COLUMNS = {"day": {"type": "timestamp", "from": "DAY"}, "hour": {"type": "integer", "missing": [-1]}}
LINES = b'{"DAY":"2013-01-31","hour":5}\n{"DAY":"2013-01-31","hour":-1}\n{"DAY":"?","hour":1}\n{"hour":"x"}\n'


def read(rule, read=read_fields, time=None):
    source = Source(landing="x", grain="day", key=["_object", "_line"], event_time=rule, columns=COLUMNS)
    batches = [
        with_times(batch, time, None) for batch in read_records("k", io.BytesIO(LINES), "jsonl", wanted_of(source))
    ]
    rows = read(relation_of_arrow(open_engine(), pa.Table.from_batches(batches, SCHEMA)), source)
    return rows.order_by("_line_number").to_pyarrow().to_pylist()


@pytest.mark.parametrize("how", [read_fields, read_times])
def test_a_time_is_computed_from_typed_columns_and_is_nothing_where_that_fails(how):
    rows = read({"sql": "day + hour * INTERVAL 1 hour"}, how)
    assert [row["_typed_event_time"] for row in rows] == [datetime(2013, 1, 31, 5, tzinfo=UTC), None, None, None]
    assert [row["event_time"] is None for row in rows] == [False, True, True, True]
    assert [row["day"] for row in rows] == ["2013-01-31", "2013-01-31", "?", None]


@pytest.mark.parametrize("how", [read_fields, read_times])
def test_the_time_of_an_object_is_that_of_its_records(how):
    rows = read({"from": "object"}, how, "2013-01-31T05:00:00+00:00")
    assert {row["_typed_event_time"] for row in rows} == {datetime(2013, 1, 31, 5, tzinfo=UTC)}


def test_an_error_in_one_row_is_that_rows_alone():
    rows = read({"sql": "CASE WHEN hour = 5 THEN CAST(hour || 'x' AS TIMESTAMP) ELSE day END"})
    assert [row["_typed_event_time"] for row in rows] == [None, datetime(2013, 1, 31, tzinfo=UTC), None, None]
