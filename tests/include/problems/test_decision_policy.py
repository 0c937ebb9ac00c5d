import numpy as np
import pytest

from include.errors import BadProblem
from include.problems.decision_policy import (
    Policy,
    earning_policy,
    earning_threshold,
    profit_of_actions,
    profit_of_policy,
)
from include.problems.sections.learning import Value


def make_value(**changed: float) -> Value:
    worth = {"true_positive": 20.0, "false_positive": -8.0, "true_negative": 0.0, "false_negative": -5.0} | changed
    return Value(unit="dollars", **worth)


def test_warning_pays_from_eight_in_thirty_three_on():
    assert earning_threshold(make_value()) == pytest.approx(8 / 33)


@pytest.mark.parametrize("worth", [{}, {"false_positive": -50}, {"true_negative": 3}, {"false_negative": -40}])
def test_at_the_threshold_acting_and_not_acting_earn_the_same(worth: dict[str, float]):
    value = make_value(**worth)
    p = earning_threshold(value)
    acting = p * value.true_positive + (1 - p) * value.false_positive
    waiting = p * value.false_negative + (1 - p) * value.true_negative
    assert acting == pytest.approx(waiting)


def test_no_other_threshold_earns_more_on_calibrated_rows():
    rng = np.random.default_rng(0)
    p, value = rng.random(200_000), make_value()
    happened = rng.random(len(p)) < p
    earned = {
        at: profit_of_actions(p >= at, happened, value).mean()
        for at in [*np.linspace(0, 1, 21), earning_threshold(value)]
    }
    assert max(earned.values()) <= earned[earning_threshold(value)] + 0.01


def test_a_free_false_alarm_means_always_act():
    assert earning_threshold(make_value(false_positive=0)) == 0
    assert earning_threshold(make_value(false_positive=1)) == 0


def test_a_catch_worth_no_more_than_a_miss_is_refused():
    with pytest.raises(BadProblem, match=r"earns -5.0 dollars, missing it -5.0"):
        earning_threshold(make_value(true_positive=-5))


def test_each_cell_of_the_matrix_is_paid():
    acted, happened = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert profit_of_actions(acted, happened, make_value(true_negative=1)).tolist() == [20, -8, -5, 1]


def test_a_review_of_two_dollars_pays_between_two_known_probabilities():
    policy = earning_policy(make_value(review=-2), has_reviewers=True)
    assert policy.ask_from == pytest.approx(2 / 25)  # 25 dollars lie between a catch and a miss
    assert policy.ask_until == pytest.approx(1 - 2 / 8)  # 8 between a needless warning and none
    assert policy.act_from == pytest.approx(8 / 33)


def test_at_both_thresholds_asking_earns_what_the_machine_earns_alone():
    value = make_value(review=-2)
    policy = earning_policy(value, has_reviewers=True)
    assert policy.ask_from is not None
    assert policy.ask_until is not None
    asked = {
        p: p * value.true_positive + (1 - p) * value.true_negative - 2 for p in (policy.ask_from, policy.ask_until)
    }
    assert asked[policy.ask_from] == pytest.approx(policy.ask_from * value.false_negative)
    acting = policy.ask_until * value.true_positive + (1 - policy.ask_until) * value.false_positive
    assert asked[policy.ask_until] == pytest.approx(acting)


def test_nobody_is_asked_where_it_costs_too_much_or_nobody_is_there():
    # 25 * 8 / (25 + 8) = 6.06 dollars is the most that the least certain row can be worth.
    assert earning_policy(make_value(review=-6.1), has_reviewers=True).ask_from is None
    assert earning_policy(make_value(review=-6.0), has_reviewers=True).ask_from is not None
    assert earning_policy(make_value(review=-2), has_reviewers=False) == Policy(8 / 33)
    assert earning_policy(make_value(review=0), has_reviewers=True) == Policy(8 / 33)
    assert earning_policy(make_value(review=-2, false_positive=0), has_reviewers=True) == Policy(0.0)


def test_a_person_finds_the_truth_and_is_paid():
    p, happened = np.array([0.05, 0.1, 0.1, 0.74, 0.9]), np.array([True, True, False, False, False])
    policy = Policy(0.5, ask_from=0.1, ask_until=0.75)
    earned = profit_of_policy(p, happened, make_value(review=-2), policy)
    assert earned.tolist() == [-5, 18, -2, -2, -8]
    assert profit_of_policy(p, happened, make_value(), Policy(0.5)).tolist() == [-5, -5, 0, -8, -8]
