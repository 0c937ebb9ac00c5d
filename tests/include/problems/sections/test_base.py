from datetime import timedelta

import pytest
from pydantic import ValidationError

from include.problems.sections.base import (
    PATTERNS,
    BadField,
    Count,
    Name,
    Number,
    Period,
    Prefix,
    ProblemName,
    Section,
    Share,
    SqlPredicate,
    require_column,
    require_different,
)


class Sample(Section):
    """Every kind of value once."""

    count: Count = 1
    number: Number = 0.5
    share: Share = 0.5
    period: Period = timedelta(days=1)
    name: Name = "a"
    problem: ProblemName = "a"
    prefix: Prefix = "a"
    predicate: SqlPredicate = "TRUE"


@pytest.mark.parametrize(
    "good",
    [
        {"count": 0},
        {"number": -1},
        {"share": 0.0},
        {"share": 1},
        {"period": "P2D"},
        {"period": "PT6H"},
        {"name": "a__b"},
        {"problem": "a_b_2"},
        {"prefix": "team/rides/"},
        {"prefix": "year=2013"},
    ],
)
def test_a_value_of_its_kind_is_taken(good):
    assert Sample(**good)


@pytest.mark.parametrize(
    "bad",
    [
        {"count": True},
        {"count": 1.0},
        {"number": "1"},
        {"number": float("inf")},
        {"share": 1.0001},
        {"share": -0.1},
        {"period": 2},
        {"period": "2 days"},
        {"period": "-P1D"},
        {"period": "P0D"},
        {"name": "A"},
        {"name": "1a"},
        {"name": "a" * 49},
        {"problem": "a__b"},
        {"problem": "a_"},
        {"prefix": "../a"},
        {"prefix": "/a"},
        {"prefix": "a//b"},
        {"prefix": ".hidden"},
        {"predicate": " "},
        {"unknown": 1},
    ],
)
def test_a_value_of_another_kind_is_refused(bad):
    with pytest.raises(ValidationError):
        Sample(**bad)


def test_a_section_never_changes_after_it_was_read():
    with pytest.raises(ValidationError, match="frozen"):
        Sample().count = 2


def test_every_pattern_has_a_sentence_for_the_person_who_breaks_it():
    shown = Sample.model_json_schema()["properties"]
    patterns = {part["pattern"] for part in shown.values() if "pattern" in part}
    assert patterns <= PATTERNS.keys()
    assert len(patterns) == 4


def test_a_name_that_is_not_declared_is_refused_with_the_nearest():
    require_column("origin", {"origin", "dest"}, "key")
    with pytest.raises(BadField, match=r"'origen' is not declared.*did you mean 'origin'") as refused:
        require_column("origen", {"origin", "dest"}, "key")
    assert refused.value.field == "key"


def test_every_name_that_stands_twice_is_named_once():
    require_different(["a", "b"], "key")
    with pytest.raises(BadField, match=r"^a, c stands there more than once"):
        require_different(["a", "c", "b", "a", "c", "a"], "key")
