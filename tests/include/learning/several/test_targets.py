import numpy as np
import pandas as pd
import pytest

from include.errors import BadProbabilities
from include.learning.several.targets import (
    Targets,
    read_targets,
    require_table,
    row_squared_error,
    row_surprise,
    split_labels,
)

AB = ("a", "b")


def test_labels_become_a_table_and_one_outside_the_classes_is_not_usable():
    targets, is_usable = read_targets(pd.Series(["b", "x", None, "a"], dtype="object"), AB, is_multiple=False)
    assert targets.flags.tolist() == [[False, True], [False, False], [False, False], [True, False]]
    assert is_usable.tolist() == [True, False, False, True]


def test_of_several_labels_none_is_an_answer_and_a_stranger_is_not():
    targets, is_usable = read_targets(pd.Series([[], ["b", "a"], ["a", "x"]]), AB, is_multiple=True)
    assert targets.flags.tolist() == [[False, False], [True, True], [True, False]]
    assert is_usable.tolist() == [True, True, False]


def test_a_missing_label_splits_into_nothing():
    assert split_labels(pd.Series([None, "a", float("nan")], dtype="object"), is_multiple=False) == [(), ("a",), ()]


def test_surprise_and_squared_error_are_those_worked_by_hand():
    p = np.array([[0.25, 0.75]])
    one = Targets(AB, np.array([[False, True]]), False)
    assert row_surprise(one, p)[0] == pytest.approx(-np.log(0.75))
    assert row_squared_error(one, p)[0] == pytest.approx(2 * 0.25**2)
    both = Targets(AB, np.array([[True, True]]), True)
    assert row_surprise(both, p)[0] == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2)
    assert row_squared_error(both, p)[0] == pytest.approx((0.75**2 + 0.25**2) / 2)


def test_classes_must_sum_to_one_and_labels_need_not():
    p = np.array([[0.9, 0.9]])
    require_table(p, is_multiple=True)
    with pytest.raises(BadProbabilities):
        require_table(p, is_multiple=False)
    with pytest.raises(BadProbabilities):
        require_table(p + 1, is_multiple=True)
