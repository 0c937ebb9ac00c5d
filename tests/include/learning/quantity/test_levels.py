"""What misses cost, and which number costs least."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from include.learning.quantity.levels import Answers, Costs, Levels, costs_of, levels_of, row_pinball
from include.problems.sections.learning import Label, Value


def test_too_little_costs_three_times_as_much_so_three_quarters_are_planned():
    assert Costs(over=1.0, under=3.0).level == 0.75
    assert Costs(over=3.0, under=1.0).level == 0.25


def test_profit_is_worked_by_hand_and_mirrors():
    planned, actual = np.array([5.0, 5.0, 5.0]), np.array([3.0, 5.0, 9.0])
    assert Costs(1.0, 3.0).profit(planned, actual).tolist() == [-2.0, 0.0, -12.0]
    assert Costs(3.0, 1.0).profit(-planned, -actual).tolist() == [-2.0, 0.0, -12.0]


@pytest.mark.parametrize(("over", "under"), [(1.0, 3.0), (2.0, 0.5)])
def test_no_plan_is_cheaper_than_the_quantile_of_the_costs(over, under):
    actual, costs = np.random.default_rng(1).gamma(2.0, 5.0, 4_001), Costs(over, under)
    earned = {
        level: costs.profit(np.full(4_001, np.quantile(actual, level)), actual).mean() for level in (0.1, 0.3, 0.5, 0.9)
    }
    assert costs.profit(np.full(4_001, np.quantile(actual, costs.level)), actual).mean() >= max(earned.values())


def test_pinball_is_that_of_an_independent_reader():
    rng = np.random.default_rng(2)
    said, actual = rng.normal(size=50), rng.normal(size=50)
    assert row_pinball(0.2, said, actual).mean() == pytest.approx(mean_pinball_loss(actual, said, alpha=0.2))


def test_ends_that_crossed_meet_in_their_middle_and_others_stay():
    answers = Answers.from_table(np.array([[1.0, 4.0, 2.0, 1.0], [1.0, 0.0, 2.0, 1.0]]))
    assert (answers.low.tolist(), answers.high.tolist()) == ([3.0, 0.0], [3.0, 2.0])
    assert answers.is_held(np.array([3.0, 2.5])).tolist() == [True, False]
    assert answers.where(np.array([1])).to_table().tolist() == [[1.0, 0.0, 2.0, 1.0]]


@pytest.mark.parametrize(("loss", "centre"), [("squared", None), ("absolute", 0.5), ("quantile", 0.75)])
def test_a_problem_file_says_which_numbers_are_said(loss, centre):
    label = Label(quantity={"unit": "h", "loss": loss, "interval": 0.8}, source="log", known_when="TRUE", value="a")
    levels = levels_of(label, Value(unit="dollars", over=1, under=3))
    assert levels.quantiles == pytest.approx((centre, 0.1, 0.9, 0.75)) if centre else levels.quantiles[0] is None
    assert levels.interval == 0.8


def test_costs_are_read_from_the_problem_file():
    assert costs_of(Value(unit="dollars", over=2, under=5)) == Costs(2, 5)
    assert Levels("absolute", 0.9, 0.5).low == pytest.approx(0.05)
