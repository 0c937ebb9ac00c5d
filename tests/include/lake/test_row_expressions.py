import json

import pyarrow as pa
import pytest

from include.engine.formats.record_batches import SCHEMA, batch_of_rows
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.erasure.subjects import ERASED, read_token, subject_token
from include.lake.row_expressions import (
    QUARANTINE_SCHEMA,
    accepted_rows,
    events_schema,
    place_records,
    prepare_rows,
    quarantined_rows,
    select_partitions,
    select_strays,
    stray_rows,
)
from include.problems.sections.source import Source

JANUARY, HOME = "2013-01", {"a": "2013-01"}
COLUMNS = {
    "id": {"type": "string"},
    "at": {"type": "timestamp"},
    "fare": {"type": "number"},
}
PEOPLE = COLUMNS | {"who": {"type": "string", "pii": "identifier"}, "note": {"type": "string", "pii": "free_text"}}


def make_source(columns=COLUMNS, **more):
    settled = {"earliest": "2013-01-01T00:00:00Z", "latest": "2014-01-01T00:00:00Z", "format": "jsonl"} | more
    return Source(landing="x", grain="month", key=["id"], event_time="at", columns=columns, **settled)


def make_record(record_id="r1", at="2013-01-05T10:00:00Z", **more):
    return {"id": record_id, "at": at, "fare": 5.5} | more


def raw(*records, key="a"):
    """Give records (dicts, or lines as they are) as landing's objects hold them."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    batch = batch_of_rows(key, [(n, 0, line, line, None) for n, line in enumerate(lines, 1)])
    return relation_of_arrow(open_engine(), pa.Table.from_batches([batch], SCHEMA))


def prepared(*records, source=None, erased=None):
    source = source or make_source()
    return prepare_rows(select_partitions(raw(*records), source, [JANUARY], HOME), source, "secret", erased)


def read(rows):
    return rows.order_by("_line_number").to_pyarrow().to_pylist()


def lines(rows):
    return [row["_line_number"] for row in read(rows)]


def test_each_record_is_of_this_partition_or_of_another_and_never_of_both():
    source = make_source()
    records = raw(
        make_record(),
        make_record(at="2013-02-05T10:00:00Z"),
        make_record(at=None),
        make_record(at="2013-01-31T23:30:00-02:00"),
        "{",
    )
    assert lines(select_partitions(records, source, [JANUARY], HOME)) == [1, 3, 5]
    assert lines(select_strays(records, source, [JANUARY], HOME)) == [2, 4]
    assert lines(select_partitions(records, source, [JANUARY], {})) == [1]  # what has no time is at home elsewhere
    for homes, february in ((HOME, [2, 4]), ({"a": "2013-02"}, [2, 3, 4, 5])):
        placed = place_records(records, source, [JANUARY, "2013-02"], homes).to_pyarrow()["_partition_key"].to_pylist()
        assert [n for n, key in enumerate(placed, 1) if key == "2013-02"] == february
        assert read(select_partitions(records, source, ["2013-02"], homes))[0]["_partition_key"] == "2013-02"
    assert (
        place_records(records, source, [JANUARY], {}).to_pyarrow()["_partition_key"].to_pylist()
        == [JANUARY] + [None] * 4
    )


def test_one_bad_record_among_good_ones_is_the_only_one_quarantined():
    rows = prepared(make_record(), make_record("r2", fare="much"), make_record("r3"))
    accepted, quarantined = accepted_rows(rows, make_source()), quarantined_rows(rows, make_source())
    assert [row["id"] for row in read(accepted)] == ["r1", "r3"]
    (bad,) = read(quarantined)
    assert (bad["reason"], bad["field"], bad["_row_key"]) == ("fare is not a number", "fare", "r2")
    assert json.loads(bad["record"]) == make_record("r2", fare="much")


def test_rows_have_the_columns_that_their_tables_promise():
    rows = prepared(make_record(), "{", source=make_source(PEOPLE))
    assert (
        accepted_rows(rows, make_source(PEOPLE)).to_pyarrow().schema.names == events_schema(make_source(PEOPLE)).names
    )
    assert quarantined_rows(rows, make_source(PEOPLE)).to_pyarrow().schema.names == QUARANTINE_SCHEMA.names


def test_a_quarantined_record_shows_neither_a_name_nor_what_stands_beside_it():
    source = make_source(PEOPLE)
    record = make_record(fare="jane@example.org", who="Jane Doe", note="call 555-123-4567", new="jane@example.org")
    (bad,) = read(quarantined_rows(prepared(record, source=source), source))
    assert bad["field"] == "fare"
    assert not any(word in json.dumps(bad) for word in ("Jane Doe", "jane@", "555-123"))


def test_a_record_nobody_can_read_is_hidden_where_it_may_hold_an_identifier():
    line = '{"who": "Jane Doe", "at'
    source = make_source(PEOPLE)
    (bad,) = read(quarantined_rows(prepared(line, source=source), source))
    assert bad["record"] == f"hidden: {len(line)} characters"
    (plain,) = read(quarantined_rows(prepared(line), make_source()))
    assert plain["record"] == line  # nothing declared is anybody's


def test_a_record_with_a_path_into_a_field_is_not_shown_whole():
    source = make_source({**COLUMNS, "country": {"type": "string", "path": ["user", "country"]}})
    line = make_record(fare="x", user={"name": "Jane Doe", "country": "KR"})
    (bad,) = read(quarantined_rows(prepared(line, source=source), source))
    assert "Jane" not in bad["record"]
    assert "KR" in bad["record"]


def test_an_unknown_field_is_stored_masked_and_the_row_is_kept():
    (row,) = read(accepted_rows(prepared(make_record(mail="from jane@example.org")), make_source()))
    (found,) = json.loads(row["_unknown_fields"]).items()
    assert found[0] == "mail"
    assert "jane@" not in found[1]


def test_of_an_erased_person_only_the_place_of_the_row_is_left():
    source = make_source(PEOPLE)
    erased = {"secret": set(read_token(subject_token(open_engine(), "P-1", ["secret"])).values())}
    rows = prepared(make_record(who="P-1", new="x"), make_record("r2", who="P-2"), source=source, erased=erased)
    (gone,) = read(quarantined_rows(rows, source))
    assert (gone["reason"], gone["_object_key"], gone["_line_number"]) == (ERASED, "a", 1)
    assert {gone[name] for name in ("record", "field", "detail", "_row_key", "_unknown_fields")} == {None}
    assert [row["id"] for row in read(accepted_rows(rows, source))] == ["r2"]


def test_a_row_of_another_partition_by_now_says_so_or_keeps_its_own_reason():
    source = make_source()
    moved, broken = make_record(at="2013-02-05T10:00:00Z"), make_record("r2", at="2013-02-06T10:00:00Z", fare="x")
    rows = prepare_rows(select_strays(raw(moved, broken), source, [JANUARY], HOME), source, "secret")
    assert [(row["reason"], row["field"]) for row in read(stray_rows(rows, source))] == [
        ("at is of another partition by now", "at"),
        ("fare is not a number", "fare"),
    ]


def test_no_records_are_no_rows_of_either_kind():
    rows = prepared()
    assert read(accepted_rows(rows, make_source())) == read(quarantined_rows(rows, make_source())) == []


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("column", ["at", "id"])
@pytest.mark.parametrize(
    ("log_format", "words"),
    [("jsonl", "field {} is missing from the record"), ("csv", "column {} is missing from the object")],
)
def test_a_column_that_is_not_there_is_told_from_a_blank_one(column, log_format, words):
    blank = make_record(fare=None) | {column: "  "}
    without = {name: value for name, value in blank.items() if name != column}
    records = (blank, blank | {column: None}, without, without | {"other": 1}, make_record())
    source = make_source(format=log_format)
    reasons = [row["reason"] for row in read(quarantined_rows(prepared(*records, source=source), source))]
    assert reasons == [f"{column} is missing"] * 2 + [words.format(column)] * 2
