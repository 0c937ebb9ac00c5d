import numpy as np
import pandas as pd
import pytest

from include.learning.explain.counterfactuals import find_counterfactuals

ROW = pd.DataFrame({"hour": [20.0], "rain": [1.0], "line": ["red"], "age": [50.0]})
RANGES = {"hour": [6, 22], "rain": [0.0, 2.0], "line": ["red", "blue"]}


def predict(frame):
    score = (frame["hour"] - 12) / 10 + frame["rain"] - np.where(frame["line"] == "blue", 0.5, 0.0)
    return (1 / (1 + np.exp(-score))).to_numpy(dtype=float)


def never():
    return False


def search(threshold, permitted=RANGES, is_out_of_time=never, **more):
    return find_counterfactuals(predict, ROW, permitted, threshold, is_out_of_time, **more)


def test_the_smallest_single_changes_are_named_and_each_turns_the_decision():
    found = search(0.75)
    assert found.is_complete
    # Log-odds 1.8 must fall below 1.0986: the rain to .2 (.8 of 2), the hour to 12 (8 of 16); blue alone gives 1.3.
    assert [dict(one.changes) for one in found.found] == [
        {"rain": (1.0, pytest.approx(0.2))},
        {"hour": (20.0, 12.0)},
    ]
    assert [one.distance for one in found.found] == pytest.approx([0.4, 0.5])
    for one in found.found:
        changed = ROW.assign(**{name: after for name, (_, after) in one.changes.items()})
        assert one.p_positive == pytest.approx(predict(changed)[0])
        assert one.p_positive < 0.75


def test_two_changes_are_named_where_no_single_one_is_enough_and_none_is_needless():
    found = search(0.5, {"rain": [0.0, 2.0], "line": ["red", "blue"], "age": [20, 60]}).found
    assert found == ()
    found = search(0.6, {"rain": [0.0, 2.0], "line": ["red", "blue"], "age": [20, 60]}).found
    assert {frozenset(one.changes) for one in found} == {frozenset({"rain", "line"})}


def test_a_row_below_the_threshold_is_lifted_above_it():
    found = find_counterfactuals(predict, ROW.assign(hour=8.0, rain=0.0), RANGES, 0.6, never).found
    assert found
    assert all(one.p_positive >= 0.6 for one in found)


def test_nothing_outside_the_permitted_ranges_is_ever_changed():
    for threshold in np.linspace(0.05, 0.95, 19):
        for one in search(threshold).found:
            for name, (_, after) in one.changes.items():
                allowed = RANGES[name]
                assert after in allowed if name == "line" else allowed[0] <= after <= allowed[1]
                assert name != "hour" or float(after).is_integer()


def test_none_found_is_an_answer_and_nothing_permitted_is_too():
    assert search(0.01) == search(0.01, {})
    assert search(0.01).found == ()
    assert search(0.01).is_complete


def test_a_search_that_runs_out_of_time_says_so():
    asked = iter([False, True])
    found = search(0.01, is_out_of_time=lambda: next(asked))
    assert (found.found, found.is_complete) == ((), False)


def test_a_change_that_was_found_is_shown_however_little_time_is_left():
    asked = iter([False])
    found = search(0.75, is_out_of_time=lambda: next(asked, True))
    assert [set(one.changes) for one in found.found] == [{"rain"}]
    assert not found.is_complete


def test_a_sufficient_change_is_not_shown_again_with_needless_ones():
    row = pd.DataFrame({"a": ["no"], "b": ["no"], "c": ["0"]})
    closer = []

    def ask(frame):  # a and b turn it together and hinder alone; c helps a little, so every beginning kept has it
        has_a, has_b = frame["a"] == "yes", frame["b"] == "yes"
        closer.extend([1] * (len(frame) == 1))
        score = frame["c"].astype(float) / 1000 - 1 - has_a - has_b * 0.5 + (has_a & has_b) * 5
        return (1 / (1 + np.exp(-score))).to_numpy(dtype=float)

    permitted = {"a": ["no", "yes"], "b": ["no", "yes"], "c": [str(number) for number in range(60)]}
    found = find_counterfactuals(ask, row, permitted, 0.5, never)
    assert [set(one.changes) for one in found.found] == [{"a", "b"}]
    assert len(closer) <= 6


def test_fewer_changes_are_allowed_when_asked_for():
    permitted = {"rain": [0.0, 2.0], "line": ["red", "blue"]}
    assert search(0.6, permitted, max_changes=1).found == ()
    assert search(0.6, permitted, max_changes=2).found


def test_a_missing_value_may_be_filled():
    row = ROW.assign(rain=np.nan)

    def asked(frame):
        return predict(frame.fillna({"rain": 1.0}))

    found = find_counterfactuals(asked, row, {"rain": [0.0, 2.0]}, 0.75, never).found
    assert len(found) == 1
    assert found[0].changes["rain"][1] <= 0.25
