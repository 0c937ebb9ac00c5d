import pytest

from include.problems.sections.source import Source
from include.review.row_names import name_rows
from include.row_key import hash_identifier


def source_of(**columns: dict[str, str]) -> Source:
    """A source whose key is all its columns but the time."""
    return Source(
        landing="logs",
        grain="day",
        key=list(columns),
        event_time="at",
        earliest="2002-01-01T00:00:00Z",
        latest="2003-01-01T00:00:00Z",
        columns=columns | {"at": {"type": "timestamp"}},
    )


SHOPS = source_of(shop={"type": "string"}, number={"type": "integer"})
PEOPLE = source_of(person={"type": "string", "pii": "identifier"})


def test_a_bar_inside_of_a_key_never_makes_the_name_of_another_row():
    assert name_rows(SHOPS, (), {"shop": "a|1", "number": "2"}) == ["a\\|1|2"]


def test_an_identifier_may_have_been_hashed_by_any_secret_the_newest_first():
    names = name_rows(PEOPLE, ("newest", "older"), {"person": "kim"})
    assert names == [hash_identifier("kim", "newest"), hash_identifier("kim", "older")]


def test_without_a_secret_no_identifier_has_a_name():
    assert name_rows(PEOPLE, ("",), {"person": "kim"}) == []


def test_a_key_without_identifiers_needs_no_secret_and_has_one_name():
    assert name_rows(SHOPS, ("", "older"), {"shop": "a", "number": 1}) == ["a|1"]


@pytest.mark.parametrize("record", [{}, {"shop": "a"}, {"shop": "a", "number": "many"}, {"shop": " ", "number": 1}])
def test_a_record_with_a_part_missing_or_mistyped_names_no_row(record):
    assert name_rows(SHOPS, (), record) == []


def test_a_row_without_an_id_is_named_by_its_object_and_line():
    placed = SHOPS.model_copy(update={"key": ["_object", "_line"]})
    assert name_rows(placed, (), {"_object": "logs/a|b.csv", "_line": "7"}) == ["logs/a\\|b.csv|7"]
