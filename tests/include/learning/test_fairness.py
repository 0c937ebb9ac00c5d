import numpy as np
import pytest

from include.learning import metrics
from include.learning.fairness import OTHERS, fairness_by_group, join_small_groups

GROUPS = np.array(["a"] * 100 + ["b"] * 100)


def measure(groups, is_acted, is_positive, p, n_resamples=200):
    weights = metrics.draw_weights(len(groups), n_resamples, np.random.default_rng(0))
    return {(one.group_value, one.metric): one for one in fairness_by_group(groups, is_acted, is_positive, p, weights)}


@pytest.fixture
def answers():
    """Group a: 50 positive, 40 of them acted on, and 10 of the others. Group b: 40 positive, 20 and 30."""
    is_positive, is_acted = np.zeros(200, dtype=bool), np.zeros(200, dtype=bool)
    is_positive[:50] = is_positive[100:140] = True
    is_acted[:40] = is_acted[50:60] = is_acted[100:120] = is_acted[140:170] = True
    p = np.where(np.arange(200) < 100, 0.5, 0.6)
    return is_acted, is_positive, p


def test_every_rate_is_the_one_counted_by_hand(answers):
    found = measure(GROUPS, *answers)
    a = {metric: found["a", metric].value for group, metric in found if group == "a"}
    assert a == pytest.approx(
        {"selection_rate": 0.5, "true_positive_rate": 0.8, "false_positive_rate": 0.2, "calibration_gap": 0.0}
    )
    b = {metric: found["b", metric].value for group, metric in found if group == "b"}
    assert b == pytest.approx(
        {"selection_rate": 0.5, "true_positive_rate": 0.5, "false_positive_rate": 0.5, "calibration_gap": 0.2}
    )
    assert found["a", "true_positive_rate"].n_rows == 50
    assert found["b", "false_positive_rate"].n_rows == 60


def test_differences_mirror_each_other_and_lie_in_their_intervals(answers):
    found = measure(GROUPS, *answers)
    a, b = found["a", "true_positive_rate"], found["b", "true_positive_rate"]
    assert a.difference == pytest.approx(0.3)
    assert a.difference == -b.difference
    assert (a.difference_low, a.difference_high) == pytest.approx((-b.difference_high, -b.difference_low))
    assert 0 < a.difference_low < 0.3 < a.difference_high
    for one in found.values():
        assert one.low <= one.value <= one.high


def test_a_group_of_three_people_gets_a_sentence_and_no_number(answers):
    groups = GROUPS.copy()
    groups[[0, 1, 199]] = "c"
    small = measure(groups, *answers)["c", "selection_rate"]
    assert (small.value, small.low, small.difference, small.n_rows) == (None, None, None, 3)
    assert small.note == "3 rows are too few to say anything about a group; 30 are needed."


def test_one_class_only_in_a_group_leaves_only_the_rate_that_needs_the_other(answers):
    is_acted, is_positive, p = answers
    is_positive = is_positive & (GROUPS == "a")
    found = measure(GROUPS, is_acted, is_positive, p)
    assert found["b", "true_positive_rate"].value is None
    assert found["b", "false_positive_rate"].value == pytest.approx(0.5)


def test_one_group_alone_has_its_rates_and_nothing_to_compare_with(answers):
    alone = measure(np.full(200, "a"), *answers)["a", "selection_rate"]
    assert (alone.value, alone.difference) == (0.5, None)
    assert "0 other rows" in alone.note


def test_many_groups_become_twenty_and_ties_are_broken_by_name():
    groups = np.array([f"g{number:02d}" for number in range(30) for _ in range(1 + (number == 29))])
    shown = join_small_groups(groups)
    assert len(set(shown)) == 20
    assert {"g29", "g00", "g17", OTHERS} <= set(shown)
    assert "g18" not in set(shown)
    assert join_small_groups(GROUPS) is GROUPS


def test_no_rows_have_no_groups():
    empty = np.empty(0)
    assert fairness_by_group(empty.astype(str), empty > 0, empty > 0, empty, np.ones((1, 0))) == []
