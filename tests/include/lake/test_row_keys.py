import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include import row_key as plain
from include.engine.formats.record_batches import SCHEMA, batch_of_rows
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.row_expressions import prepare_rows, select_partitions
from include.lake.row_keys import later_arrivals, row_key
from include.lake.type_casting import FIELD, REASON
from include.names import ROW_KEY
from include.problems.sections.source import Source

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
        columns["_partition_key"] = ["2013-01"] * len(order)
        found = later_arrivals(relation_of_arrow(open_engine(), pa.table(columns))).to_pyarrow().to_pylist()
        assert sorted(tuple(row.values()) for row in found) == [("2013-01", "a", 9), ("2013-01", "b", 1)]


def test_one_name_in_two_partitions_is_no_duplicate():
    columns = {"_partition_key": ["x", "y"], "_row_key": ["k", "k"], "_object_key": ["a", "a"], "_line_number": [1, 2]}
    assert later_arrivals(relation_of_arrow(open_engine(), pa.table(columns))).to_pyarrow().num_rows == 0


SOURCE = Source(
    landing="x",
    grain="month",
    key=["person", "text", "whole", "number", "yes", "at", "numbered_person"],
    event_time="at",
    earliest="1900-01-01T00:00:00Z",
    latest="2100-01-01T00:00:00Z",
    columns={
        "person": {"type": "string", "pii": "identifier"},
        "text": {"type": "string"},
        "whole": {"type": "integer"},
        "number": {"type": "number"},
        "yes": {"type": "boolean"},
        "at": {"type": "timestamp"},
        "numbered_person": {"type": "integer", "pii": "identifier"},
    },
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("|\\ |\\"), max_size=12)
WHOLES = (
    st.integers(-(2**64), 2**64) | st.integers(-(2**64), 2**64).map("{:+d}.0".format) | st.sampled_from(["07", "-0"])
)
NUMBERS = (
    st.floats() | st.floats().map("{:.9g}".format) | st.integers() | st.sampled_from(["1.", ".5", "+1E5", "1e-400"])
)
AUGUST = datetime(2002, 8, 1, tzinfo=UTC)
SINCE = st.timedeltas(timedelta(days=2), timedelta(days=30))
ZONES = st.sampled_from(["", "Z", "+00:00", "+01:30", "-0200"])
RECORDS = st.fixed_dictionaries(
    {
        "person": TEXTS,
        "text": TEXTS,
        "whole": WHOLES,
        "number": NUMBERS,
        "yes": st.booleans() | st.sampled_from(["TRUE", " 0", "maybe"]),
        "at": st.builds(lambda since, zone: (AUGUST + since).isoformat()[:-6] + zone, SINCE, ZONES),
        "numbered_person": WHOLES,
    }
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records=st.lists(RECORDS, min_size=30, max_size=30))
def test_ingest_and_the_plain_function_name_every_row_equally(records):
    documents = [json.dumps(record) for record in records]
    batch = batch_of_rows("a", [(i, None, document, document, None) for i, document in enumerate(documents)])
    raw = relation_of_arrow(open_engine(), pa.Table.from_batches([batch], SCHEMA))
    rows = prepare_rows(select_partitions(raw, SOURCE, ["2002-08"], {"a": "2002-08"}), SOURCE, "secret")
    named = rows.order_by("_line_number").select(ROW_KEY, REASON, FIELD).to_pyarrow().to_pylist()
    assert len(named) == len(records)
    for record, row in zip(records, named, strict=True):
        stored = None if row[FIELD] in SOURCE.key else row[ROW_KEY]
        assert plain.row_key(record, SOURCE.key, SOURCE.columns, "secret") == stored, row
