import pytest

from include.errors import BadHandover
from include.handover import read_answer, read_field, read_optional_text, read_texts


def test_a_field_is_given_as_it_was_left_also_an_empty_one():
    handed = {"n_rows": 0, "is_due": False, "reason": "", "keys": []}
    assert [read_field(handed, *asked) for asked in (("n_rows", int), ("is_due", bool), ("reason", str))] == [
        0,
        False,
        "",
    ]
    assert read_texts(handed, "keys") == ()


@pytest.mark.parametrize(("value", "kind"), [(None, str), ("7", int), (True, int), (1, bool), ("2013-06", list)])
def test_a_field_of_another_kind_is_refused_with_what_to_do(value, kind):
    with pytest.raises(BadHandover, match=rf"^'n' is .* where {kind.__name__} was expected, in what has \['m', 'n'\]"):
        read_field({"n": value, "m": 1}, "n", kind)


def test_a_field_that_is_missing_is_named_beside_those_there_are():
    with pytest.raises(BadHandover, match=r"'keys' is None .* in what has \['n_rows'\].* Clear the run from its first"):
        read_texts({"n_rows": 3}, "keys")


def test_one_text_is_not_taken_for_several():
    with pytest.raises(BadHandover, match="'2013-06' where list was expected"):
        read_texts({"keys": "2013-06"}, "keys")


@pytest.mark.parametrize(("handed", "text"), [({}, None), ({"a": None}, None), ({"a": ""}, ""), ({"a": "x"}, "x")])
def test_a_text_that_may_be_none_is_none_only_where_none_was_left(handed, text):
    assert read_optional_text(handed, "a") == text


def test_a_number_is_not_taken_for_a_text_that_may_be_none():
    with pytest.raises(BadHandover, match="'a' is 0 where str was expected"):
        read_optional_text({"a": 0}, "a")


ANN = {"id": "7", "name": "ann"}


@pytest.mark.parametrize(
    ("answer", "is_approved", "actor", "reason"),
    [
        ({"chosen_options": ["Approve"], "responded_by_user": ANN}, True, "ann", "ann approved it."),
        ({"chosen_options": ["Reject"], "responded_by_user": {"id": "7"}}, False, "7", "7 refused it."),
        ({"chosen_options": ["Approve"], "responded_by_user": ANN, "timedout": True}, False, "run", "Nobody answered"),
        ({"chosen_options": ["Approve"], "responded_by_user": None}, False, "run", "Nobody answered"),
    ],
)
def test_only_a_person_who_answered_in_time_approves(answer, is_approved, actor, reason):
    found = read_answer(answer, "run")
    assert found[:2] == (is_approved, actor)
    assert found[2].startswith(reason)


@pytest.mark.parametrize("answer", [None, {}, {"chosen_options": []}])
def test_no_answer_says_nothing_of_versions_that_a_rule_does_not_have(answer):
    is_approved, _, reason = read_answer(answer, "run")
    assert is_approved is None
    assert reason == "There is no answer: what was asked about waits on, and nothing changes."
