import pytest

from include.problems.answer_text import is_answer, read_labels, say_answer, write_labels
from include.problems.sections.learning import Label

ONE = Label(classes=["a", "b", "c"], source="desk")
MANY = Label(classes=["a", "b", "c"], source="desk", multiple=True)


@pytest.mark.parametrize("labels", [[], ["b"], ["c", "a", "b"]])
def test_labels_are_read_back_in_the_order_of_the_classes(labels):
    assert read_labels(write_labels(labels, MANY.classes), MANY) == tuple(sorted(labels))


def test_the_same_labels_are_the_same_text():
    assert write_labels(["c", "a", "a"], MANY.classes) == write_labels(["a", "c"], MANY.classes) == '["a", "c"]'


def test_a_class_is_its_own_text_and_an_old_answer_stays_readable():
    assert read_labels("a", ONE) == ("a",)
    assert read_labels("a", MANY) == ("a",)
    assert read_labels('{"a": 1}', MANY) == ('{"a": 1}',)


def test_an_answer_with_a_stranger_in_it_is_none():
    assert is_answer("a", ONE)
    assert not is_answer("x", ONE)
    assert is_answer("[]", MANY)
    assert not is_answer('["a", "x"]', MANY)


def test_people_read_no_brackets():
    assert say_answer('["a", "c"]', MANY) == "a, c"
    assert say_answer("[]", MANY) == "none"
