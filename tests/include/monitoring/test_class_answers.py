"""What people said of several classes, settled as training settles it; the query is asked in `test_classes.py`."""

import pytest

from include.monitoring.class_answers import settle
from include.problems.sections.learning import Label

ONE = Label(classes=["a", "b", "c"], source="desk")
MANY = Label(classes=["a", "b", "c"], source="desk", multiple=True)


@pytest.mark.parametrize(
    ("votes", "label", "settled"),
    [
        ([("a",), ("a",), ("b",)], ONE, ("a",)),
        ([("a",), ("b",)], ONE, None),
        ([("a", "b"), ("a",), ("a", "c")], MANY, ("a",)),
        ([("a",), ()], MANY, None),
        ([()], MANY, ()),
    ],
)
def test_what_most_people_said_counts_and_a_tie_is_no_answer(votes, label, settled):
    assert settle(votes, label) == settled
