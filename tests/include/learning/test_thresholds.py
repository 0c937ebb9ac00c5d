import numpy as np
import pytest

from include.errors import BadProblem
from include.learning.thresholds import earning_threshold, profit_of_actions
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
