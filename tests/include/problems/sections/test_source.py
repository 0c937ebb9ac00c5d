import datetime

import pytest

from include.problems.sections.source import Column

BROKEN = [
    ("source.colunms", {}, "field source.colunms: unknown key"),
    ("source.grain", "week", "field source.grain: Input should be 'hour', 'day' or 'month' (it holds 'week')"),
    ("source.landing", "../other", "field source.landing: is no prefix inside landing"),
    ("source.landing", "/etc", "field source.landing: is no prefix inside landing"),
    ("source.landing", "", "field source.landing: is no prefix inside landing"),
    ("source.key", ["rideid"], "field source.key: 'rideid' is not declared in source.columns; did you mean 'ride_id'?"),
    ("source.key", ["ride_id", "ride_id"], "field source.key: ride_id stands there more than once"),
    ("source.event_time", "started", "field source.event_time: 'started' is not declared in source.columns; did"),
    ("source.event_time", "origin", "field source.event_time: column 'origin' is of type string; a timestamp is"),
    ("source.earliest", datetime.datetime(2013, 1, 1), "field source.earliest: a time without its zone means"),  # noqa: DTZ001
    ("source.earliest", datetime.date(2013, 1, 1), "field source.earliest: a time without its zone means"),
    ("source.earliest", "2015-01-01T00:00:00Z", "field source.earliest: 2015-01-01 00:00:00+00:00 is not before"),
    ("source.columns.origin.type", "text", "field source.columns.origin.type: Input should be 'string', 'integer',"),
    ("source.columns.Origin", {"type": "string"}, "field source.columns.Origin: is no name; write small"),
    ("source.columns._origin", {"type": "string"}, "field source.columns._origin: is no name; write small"),
    (
        "source.columns.ride_id.pii",
        "contact",
        "field source.key: 'ride_id' is of class contact: many people look alike",
    ),
    ("source.columns.ride_id.pii", "free_text", "field source.key: 'ride_id' is of class free_text: many people look"),
    (
        "source.columns.started_at.pii",
        "contact",
        "field source.event_time: 'started_at' is of class contact, and a masked",
    ),
    ("source.key", ["_line"], "field source.key: _line counts the lines of one object, and every object has a first"),
    ("source.key", ["_lines"], "field source.key.0: is no name of a column, nor _object or _line"),
    ("source.missing", [False], "field source.missing.0: a code is text or a number; YAML has read it as something"),
    (
        "source.derive",
        {"origin": {"type": "number", "sql": "1"}},
        "field source.derive.origin: a column of the log has this name",
    ),
    (
        "source.derive",
        {"x": {"type": "number", "sql": " "}},
        "field source.derive.x.sql: is blank; write an expression",
    ),
    ("source.columns", [], "field source.columns: must be a mapping: keys below it, each with its value (it holds []"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


def test_a_column_says_by_default_that_it_tells_nothing_about_a_person(read):
    column = read().source.columns["origin"]
    assert (column.pii, column.known, column.unit) == ("none", "event", "")


@pytest.mark.parametrize("name", ["a", "a_1", "a__b", "z" * 48])
def test_a_name_of_small_letters_digits_and_underscores_is_a_column(read, write_problem, name):
    columns = {"ride_id": {"type": "string"}, "started_at": {"type": "timestamp"}, name: {"type": "string"}}
    source = {
        "landing": "team/rides",
        "grain": "hour",
        "key": ["ride_id"],
        "event_time": "started_at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2013-01-01T00:00:01+09:00",
        "columns": columns,
    }
    source["latest"] = "2014-01-01T00:00:00+09:00"
    sections = {"quality": None, "training": None, "experiment": None, "monitor": None, "label": None}
    assert name in read(source=source, **sections).source.columns


def test_a_span_of_time_is_compared_across_zones(read, refusal_of):
    """09:00 in Seoul is midnight in UTC: the one is not before the other."""
    assert "is not before latest" in refusal_of("source.latest", "2013-01-01T09:00:00+09:00")
    assert read("source.latest", "2013-01-01T09:00:01+09:00", experiment=None).source.latest.second == 1


def test_an_identifier_may_name_rows_because_its_hash_keeps_them_different(read):
    assert read("source.columns.ride_id.pii", "identifier", experiment=None).source.key == ["ride_id"]


def test_a_rule_for_the_event_time_becomes_a_column_of_that_name(read):
    source = read("source.event_time", {"from": "name", "pattern": "rides_%Y-%m-%d"}).source
    assert (source.event_time, source.columns["event_time"].type) == ("event_time", "timestamp")
    assert "event_time" not in source.declared


def test_a_column_of_the_name_that_a_rule_takes_is_refused(read, refusal_of):
    columns = {"ride_id": {"type": "string"}, "event_time": {"type": "string"}}
    source = {"landing": "r", "grain": "day", "key": ["ride_id"], "event_time": {"from": "object"}, "columns": columns}
    assert "field source.event_time: the rule for it becomes a column 'event_time'" in refusal_of("source", source)


def test_a_log_need_not_say_when_it_begins_and_ends(read):
    source = {
        "landing": "rides",
        "grain": "day",
        "key": ["_object", "_line"],
        "event_time": {"sql": "day + hour * INTERVAL 1 hour"},
        "columns": {"day": {"type": "timestamp"}, "hour": {"type": "integer"}},
    }
    nothing = dict.fromkeys(("quality", "label", "value", "training", "experiment", "monitor"))
    read_source = read(source=source, **nothing).source
    assert (read_source.earliest.year, read_source.latest) == (1970, None)
    assert [column.type for column in read_source.key_columns.values()] == ["string", "integer"]


def test_rows_named_by_a_whole_document_are_refused(refusal_of):
    assert "'ride_id' is of type json; take a field out" in refusal_of("source.columns.ride_id.type", "json")


def test_what_is_derived_from_something_known_later_is_known_later(read):
    derive = {
        "double": {"type": "number", "sql": "distance_miles * 2"},
        "half": {"type": "number", "sql": "double / 4"},
    }
    source = read("source.derive", derive).source
    assert [source.stored[name].known for name in derive] == ["event", "event"]
    columns = {**source.columns, "distance_miles": Column(type="number", known="later")}
    late = source.model_copy(update={"declared": columns})
    assert [late.stored[name].known for name in derive] == ["later", "later"]
