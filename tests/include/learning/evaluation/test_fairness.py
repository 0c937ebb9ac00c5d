import numpy as np
import pytest

from include.learning.evaluation.fairness import OTHERS, fairness_by_group, join_small_groups

TRUE_RATE = 0.5  # the mean of expit over a normal spread around 0
GROUPS = np.array(["a"] * 100 + ["b"] * 100)


def measure(groups, is_acted, is_positive, p, blocks=None):
    blocks = np.arange(len(groups)) if blocks is None else blocks
    found = fairness_by_group(groups, is_acted, is_positive, p, blocks)
    return {(one.group_value, one.metric): one for one in found}


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
    assert measure(empty.astype(str), empty > 0, empty > 0, empty) == {}


def test_a_rate_lies_in_its_interval_as_often_as_stated_by_day():
    rng, n_held = np.random.default_rng(4), 0
    for _ in range(200):
        blocks = np.repeat(np.arange(12), 40)
        p = 1 / (1 + np.exp(-rng.normal(0, 1, 12)))[blocks]
        is_acted = rng.random(480) < p
        groups = np.array(["a", "b"])[np.arange(480) % 2]
        own = measure(groups, is_acted, is_acted, np.full(480, 0.5), blocks)["a", "selection_rate"]
        n_held += own.low <= TRUE_RATE <= own.high
    assert n_held >= 180  # stated are 190


def test_groups_of_a_single_day_have_rates_and_nobody_says_how_sure(answers):
    one = measure(GROUPS, *answers, blocks=np.zeros(200, dtype=int))["a", "selection_rate"]
    assert (one.value, one.low, one.difference_low) == (0.5, None, None)


def test_a_group_of_one_day_among_thirty_has_no_interval():
    days = np.repeat(np.arange(30), 40)
    groups = np.where(days == 3, "rare", "others")
    is_acted = np.arange(1200) % 4 == 0
    found = measure(groups, is_acted, is_acted, np.full(1200, 0.5), days)
    rare, others = found["rare", "selection_rate"], found["others", "selection_rate"]
    assert (rare.value, rare.low, rare.difference, rare.difference_low) == (0.25, None, 0.0, None)
    assert others.low is not None
    assert others.difference_low is None


def test_the_difference_of_a_group_of_three_days_holds_as_often_as_stated():
    rng, n_held = np.random.default_rng(5), 0
    days = np.repeat(np.arange(30), 40)
    groups = np.where(days < 3, "rare", "others")
    for _ in range(200):
        share = 1 / (1 + np.exp(-rng.normal(0, 1, 30)))
        is_acted = rng.random(1200) < share[days]
        own = measure(groups, is_acted, is_acted, np.full(1200, 0.5), days)["rare", "selection_rate"]
        n_held += own.difference_low <= 0 <= own.difference_high
    assert n_held >= 178  # stated are 190, and three days are few


def test_a_group_that_is_never_acted_on_may_be_acted_on_one_day():
    days = np.arange(1200) // 40
    groups = np.where(np.arange(1200) % 40 < 2, "rare", "others")
    is_acted = (np.arange(1200) % 4 == 3) & (groups == "others")
    found = measure(groups, is_acted, is_acted, np.full(1200, 0.5), days)["rare", "selection_rate"]
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.04 < found.high < 0.08  # 0 of 60 rows
    assert found.difference_low < found.difference < found.difference_high - 0.03
