import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.allocation.upper_bound import epsilon_greedy, upper_confidence

NONE = np.zeros(3)


def test_one_unit_goes_to_the_highest_upper_bound():
    rewards, units = np.array([5.0, 9.0, 12.0]), np.array([50.0, 60.0, 400.0])
    mean, log = rewards / units, np.log(510.0)
    spread = np.minimum(0.25, mean * (1 - mean) + np.sqrt(2 * log / units))
    expected = (mean + np.sqrt(log / units * spread)).argmax()
    shares = upper_confidence(rewards, units, NONE, 1)
    assert shares.argmax() == expected
    assert shares[expected] > 0.99


def test_an_arm_without_units_is_filled_first():
    shares = upper_confidence(np.array([5.0, 0.0, 5.0]), np.array([50.0, 0.0, 50.0]), NONE, 10)
    assert shares.argmax() == 1


def test_equal_arms_share_a_batch_alike():
    shares = upper_confidence(np.array([7.0, 7.0, 7.0]), np.array([90.0, 90.0, 90.0]), NONE, 300)
    assert shares == pytest.approx(np.full(3, 1 / 3), abs=0.01)


def test_units_still_waiting_make_an_arm_less_wanted():
    rewards, units = np.array([9.0, 9.0]), np.array([100.0, 100.0])
    shares = upper_confidence(rewards, units, np.array([80.0, 0.0]), 100)
    assert shares[1] > 0.85


def test_a_better_arm_gets_most_of_a_batch():
    shares = upper_confidence(np.array([50.0, 50.0, 200.0]), np.full(3, 1_000.0), NONE, 1_000)
    assert shares[2] > 0.9


def test_more_width_looks_around_more():
    rewards, units = np.array([50.0, 70.0]), np.full(2, 1_000.0)
    narrow, wide = (upper_confidence(rewards, units, np.zeros(2), 5_000, width)[0] for width in (0.1, 50.0))
    assert wide > narrow


@pytest.mark.parametrize(("n_units", "width"), [(0, 2.0), (10, 0.0)])
def test_an_empty_batch_or_no_width_is_refused(n_units: int, width: float):
    with pytest.raises(BadExperiment, match="cannot be filled"):
        upper_confidence(np.ones(3), np.full(3, 9.0), NONE, n_units, width)


def test_the_front_runner_gets_all_but_a_few():
    assert epsilon_greedy(np.array([0.1, 0.3, 0.2]), np.ones(3), 0.3) == pytest.approx([0.1, 0.8, 0.1])


def test_front_runners_that_are_equal_share():
    assert epsilon_greedy(np.array([0.3, 0.3, 0.2]), np.ones(3), 0.0).tolist() == [0.5, 0.5, 0.0]


def test_an_untried_arm_runs_in_front():
    assert epsilon_greedy(np.array([0.3, 0.0]), np.array([10.0, 0.0]), 0.0).tolist() == [0.0, 1.0]


def test_epsilon_outside_its_range_is_refused():
    with pytest.raises(BadExperiment, match="uniform share"):
        epsilon_greedy(np.ones(2), np.ones(2), 1.2)
