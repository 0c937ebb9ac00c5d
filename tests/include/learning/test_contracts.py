import json

import pytest

from include.errors import BadHandover
from include.learning.contracts import Announced, Decided, FittedVersions, Question, TrainingPlan


@pytest.mark.parametrize(
    "record",
    [
        TrainingPlan(("2013-06", "2013-09"), "Two are due."),
        TrainingPlan((), "None is due."),
        FittedVersions(("round-999-aaaaaa", "round-1000-aaaaaa"), 12),
        Decided({"a": "rejected", "b": "awaiting_approval", "c": "promoted"}, "It earns more.", 7),
    ],
)
def test_what_is_handed_over_as_json_comes_back_as_it_was(record):
    assert type(record).from_xcom(json.loads(json.dumps(record.to_xcom()))) == record


def test_a_plan_that_is_not_due_names_no_point_whatever_it_lists():
    assert TrainingPlan.from_xcom({"is_due": False, "points": ["2013-06"], "reason": "R"}).points == ()


def test_the_newest_version_speaks_for_a_run_and_those_that_wait_are_named():
    decided = Decided({"a": "awaiting_approval", "b": "promoted"}, "R", 1)
    assert decided.awaiting == ("a",)
    handed = decided.to_xcom()
    assert (handed["model_version"], handed["promoted"], handed["awaiting"]) == ("b", True, ["a"])
    assert not Decided({"b": "promoted", "a": "awaiting_approval"}, "R", 1).to_xcom()["promoted"]
    assert FittedVersions(("a", "b"), 1).to_xcom()["model_version"] == "b"


@pytest.mark.parametrize(
    ("read", "handed", "field"),
    [
        (TrainingPlan.from_xcom, {"points": []}, "is_due"),
        (TrainingPlan.from_xcom, {"is_due": True, "points": "2013-06"}, "points"),
        (FittedVersions.from_xcom, {"n_rows": 3}, "versions"),
        (Decided.from_xcom, {"decisions": ["a"], "reason": "R", "n_rows": 1}, "decisions"),
    ],
)
def test_what_an_older_version_left_is_refused_and_the_field_named(read, handed, field):
    with pytest.raises(BadHandover, match=f"'{field}' is .* was expected.* Clear the run from its first task"):
        read(handed)


def test_nothing_to_announce_says_why_and_something_does_not():
    assert Announced((), "Nothing was scored yet.").to_xcom() == {
        "keys": [],
        "reason": "Nothing was scored yet.",
        "n_rows": 0,
    }
    assert Announced(("2013-06",), "Nothing was scored yet.").to_xcom()["reason"] == ""


def test_a_question_about_nothing_is_none():
    assert Question((), reason="R").to_xcom_about_a_rule()["rule_version"] is None
    assert Question((), reason="R").to_xcom_about_versions()["versions"] == []
    asked = Question(("rule-001",), "S", "B", n_rows=3)
    assert asked.to_xcom_about_a_rule() == {
        "rule_version": "rule-001",
        "subject": "S",
        "body": "B",
        "reason": "",
        "n_rows": 3,
    }
