import pytest

from include.problems.sections.base import BadField
from include.problems.sections.columns import Column, EventTime, require_equally_private

BROKEN = [
    ("source.columns.origin.path", ["a", True], "origin.path.1: a step is the name of a field, or a place in a list"),
    ("source.columns.origin.path", ["a", -1], "origin.path.1: a step is the name of a field, or a place in a list"),
    ("source.columns.origin.path", [0, "a"], "origin.path: a record is an object, and 0 is no field of it"),
    ("source.columns.origin.path", [], "origin.path: List should have at least 1 item"),
    ("source.columns.origin", {"type": "string", "from": "a", "path": ["b"]}, "origin.path: from says already where"),
    ("source.columns.origin.from", 7, "origin.from: Input should be a valid string; put it in quotes"),
    ("source.columns.origin.format", "%Y", "origin.format: is how a time is written, and the column is of type string"),
    ("source.columns.started_at.format", "DD/MM/YYYY", "started_at.format: 'DD/MM/YYYY' is no way to write a time"),
    ("source.columns.origin.missing", [None], "origin.missing.0: a code is text or a number; YAML has read it as"),
    ("source.columns.origin", {"type": "json", "pii": "contact"}, "origin.pii: a column of type json is masked value"),
    ("source.event_time", {}, "field source.event_time: write one rule: from: object, from: name with a pattern, or"),
    ("source.event_time", {"from": "object", "sql": "x"}, "field source.event_time: write one rule"),
    ("source.event_time", {"from": "name"}, "field source.event_time.pattern: belongs to from: name, and from: name"),
    ("source.event_time", {"from": "name", "pattern": "x_%d"}, "event_time.pattern: 'x_%d' names no year and month"),
    ("source.event_time", {"from": "name", "pattern": "%Y-%q"}, "event_time.pattern: '%q' is none of %Y %y %m"),
    ("source.event_time", {"from": "name", "pattern": "%Y%m%m"}, "event_time.pattern: '%Y%m%m' asks twice for one"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_a_wrong_place_rule_or_format_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


def test_where_a_column_stands_is_read_by_the_names_of_the_file(read):
    column = read("source.columns.origin", {"type": "string", "path": ["actor", 0], "missing": ["?", -9, 1.5]})
    origin = column.source.columns["origin"]
    assert (origin.path, origin.missing) == (["actor", 0], ["?", -9, 1.5])
    assert EventTime(**{"from": "object"}).from_what == "object"


def make_column(place, pii):
    return Column(**{"type": "string", "path": place.split("/"), "pii": pii})


ONE_SHOWS_THE_OTHER = [
    ("a", "none", "a", "identifier"),
    ("a", "identifier", "a", "free_text"),
    ("a", "none", "a/b", "free_text"),
    ("a", "free_text", "a/b", "contact"),
]
NONE_SHOWS_THE_OTHER = [
    ("a", "none", "a", "none"),
    ("a", "contact", "a", "identifier"),
    ("a", "free_text", "a/b", "none"),
    ("a", "none", "b", "identifier"),
    ("a/b", "none", "a/c", "identifier"),
    ("a/b", "free_text", "a/b", "free_text"),
]


@pytest.mark.parametrize(("outer", "outer_pii", "inner", "inner_pii"), ONE_SHOWS_THE_OTHER)
def test_a_field_read_twice_must_not_show_what_it_hides(outer, outer_pii, inner, inner_pii):
    one, other = make_column(outer, outer_pii), make_column(inner, inner_pii)
    for columns in ({"x": one, "y": other}, {"y": other, "x": one}):
        with pytest.raises(BadField, match="one would show what the other hides"):
            require_equally_private(columns)


@pytest.mark.parametrize(("outer", "outer_pii", "inner", "inner_pii"), NONE_SHOWS_THE_OTHER)
def test_a_field_may_be_read_twice(outer, outer_pii, inner, inner_pii):
    require_equally_private({"x": make_column(outer, outer_pii), "y": make_column(inner, inner_pii)})
