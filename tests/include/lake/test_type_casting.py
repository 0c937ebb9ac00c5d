from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.engine.text_types import type_columns, type_text
from include.lake.type_casting import explain_misfits, stored_schema
from include.problems.sections.source import Source

pytestmark = pytest.mark.usefixtures("each_engine")

COLUMNS = {
    "id": {"type": "string"},
    "at": {"type": "timestamp"},
    "n": {"type": "integer"},
    "x": {"type": "number"},
    "who": {"type": "integer", "pii": "identifier"},
}


def make_source(**more):
    settled = {
        "landing": "x",
        "grain": "month",
        "key": ["id"],
        "event_time": "at",
        "earliest": datetime(2001, 1, 1, tzinfo=UTC),
        "latest": datetime(2003, 1, 1, 12, tzinfo=UTC),
        "columns": COLUMNS,
    }
    return Source(**(settled | more))


def typed(*rows, source=None):
    good = {"id": "a", "at": "2002-01-01T00:00:00Z", "n": "1", "x": "1.5", "who": "7", "_flaw": None}
    good["_keys"] = list(COLUMNS)
    schema = pa.schema({**dict.fromkeys(good, pa.string()), "_keys": pa.list_(pa.string())}.items())
    table = pa.Table.from_pylist([good | row for row in rows], schema=schema)
    source = source or make_source()
    rows = type_columns(relation_of_arrow(open_engine(), table), source.columns, list(source.columns))
    return explain_misfits(rows, source).to_pyarrow().to_pylist()


def typed_text(text, kind):
    rows = relation_of_arrow(open_engine(), pa.table({"t": pa.array([text], pa.string())}))
    return rows.select(v=type_text(rows.t, kind)).to_pyarrow()["v"][0].as_py()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", " x ", " x "),
        ("integer", "12", 12),
        ("integer", "-3", -3),
        ("integer", "+7", 7),
        ("integer", "007", 7),
        ("integer", "-0", 0),
        ("integer", "1_000", None),
        ("integer", "12.0", 12),
        ("integer", " 12 ", 12),
        ("integer", "\t12.00", 12),
        ("integer", "12.7", None),
        ("integer", "1e3", None),
        ("integer", "99999999999999999999", None),
        ("integer", "", None),
        ("number", "1.5", 1.5),
        ("number", "-1e-3", -0.001),
        ("number", ".5", 0.5),
        ("number", " 2.5\n", 2.5),
        ("number", "1_000", None),
        ("number", "nan", None),
        ("number", "inf", None),
        ("number", "1e999", None),
        ("number", "1,5", None),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", "0", False),
        ("boolean", " TRUE", True),
        ("boolean", "yes", None),
        ("timestamp", "2002-01-01T00:00:00Z", datetime(2002, 1, 1, tzinfo=UTC)),
        ("timestamp", "soon", None),
        ("integer", None, None),
    ],
)
def test_text_is_typed_by_rules_that_every_engine_shares(kind, text, value):
    assert typed_text(text, kind) == value


def test_a_row_that_fits_has_no_reason():
    (row,) = typed({})
    assert (row["_reason"], row["_field"], row["_detail"]) == (None, None, None)
    assert (row["_typed_n"], row["_typed_x"]) == (1, 1.5)


@pytest.mark.parametrize(
    ("broken", "field", "reason", "detail"),
    [
        ({"at": None}, "at", "at is missing", "at is missing"),
        ({"at": " "}, "at", "at is missing", "at is missing"),
        ({"at": "soon"}, "at", "at is not a time in ISO 8601", "at is not a time in ISO 8601 (it holds 'soon')"),
        (
            {"at": "0102-09-01T10:00:00Z"},
            "at",
            "at is before 2001-01-01",
            "at is before 2001-01-01 (it holds '0102-09-01T10:00:00Z')",
        ),
        (
            {"at": "2028-01-01T00:00:00Z"},
            "at",
            "at is after 2003-01-01T12:00:00Z",
            "at is after 2003-01-01T12:00:00Z (it holds '2028-01-01T00:00:00Z')",
        ),
        ({"id": None}, "id", "id is missing", "id is missing"),
        ({"id": ""}, "id", "id is missing", "id is missing"),
        ({"n": "12.7"}, "n", "n is not a whole number", "n is not a whole number (it holds '12.7')"),
        ({"x": "a lot"}, "x", "x is not a number", "x is not a number (it holds 'a lot')"),
        ({"_flaw": "record is not JSON"}, None, "record is not JSON", "record is not JSON"),
    ],
)
def test_one_broken_row_among_good_ones_says_which_field_and_why(broken, field, reason, detail):
    first, second, third = typed({"id": "1"}, broken, {"id": "3"})
    assert (second["_field"], second["_reason"], second["_detail"]) == (field, reason, detail)
    assert (first["_reason"], third["_reason"]) == (None, None)


def test_a_value_that_may_tell_on_a_person_is_not_shown():
    (row,) = typed({"who": "Jane Doe"})
    assert row["_detail"] == row["_reason"] == "who is not a whole number"


def test_a_missing_value_outside_of_the_key_is_no_reason():
    assert typed({"n": None, "x": ""})[0]["_reason"] is None


def test_of_several_reasons_the_gravest_is_given():
    assert typed({"n": "x", "id": None, "at": "soon"})[0]["_reason"] == "at is not a time in ISO 8601"
    assert typed({"n": "x", "id": None})[0]["_reason"] == "id is missing"


def test_a_long_value_is_shown_in_part():
    assert len(typed({"n": "9" * 500 + "x"})[0]["_detail"]) < 130


def test_masked_columns_are_stored_as_text():
    schema = stored_schema(make_source().columns, {"_k": pa.string()})
    assert schema.field("who").type == pa.string()
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert schema.names == ["id", "at", "n", "x", "who", "_k"]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("1e400", "n is larger than 9223372036854775807 (it holds '1e400')"),
        ("-1e400", "n is smaller than -9223372036854775808 (it holds '-1e400')"),
        ("1.7976931348623157e308", "n is larger than 9223372036854775807 (it holds '1.7976931348623157e308')"),
        ("0.30000000000000004", "n is not a whole number (it holds '0.30000000000000004')"),
        ("1e3.", "n is not a whole number (it holds '1e3.')"),
    ],
)
def test_a_number_that_is_no_whole_one_is_told_as_it_stands(text, detail):
    (row,) = typed({"n": text})
    assert row["_detail"] == detail
