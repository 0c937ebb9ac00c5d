import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.allocation.thompson import keep_uniform, thompson, top_two

CHANCES = np.array([0.1, 0.3, 0.6])


def test_thompson_sends_as_often_as_likely_best():
    assert thompson(CHANCES * 2, 1.0).tolist() == pytest.approx(CHANCES.tolist())


def test_sharper_shares_are_powers_worked_by_hand():
    assert thompson(CHANCES).tolist() == pytest.approx([1 / 46, 9 / 46, 36 / 46])
    assert thompson(CHANCES, 0.0).tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(("chances", "power"), [(CHANCES, -1.0), (np.zeros(3), 2.0)])
def test_no_power_and_no_chances_share_nothing_out(chances: np.ndarray, power: float):
    with pytest.raises(BadExperiment, match=r"power of -1|All arms have probability 0"):
        thompson(chances, power)


def test_top_two_is_what_drawing_leader_and_runner_up_brings():
    rng, n = np.random.default_rng(8), 200_000
    leader, runner_up = rng.choice(3, n, p=CHANCES), rng.choice(3, n, p=CHANCES)
    while (same := leader == runner_up).any():
        runner_up[same] = rng.choice(3, int(same.sum()), p=CHANCES)
    sent = np.where(rng.random(n) < 0.7, leader, runner_up)
    assert top_two(CHANCES, 0.7, 1.0) == pytest.approx(np.bincount(sent) / n, abs=0.005)


def test_a_leader_with_all_units_is_thompson():
    assert top_two(CHANCES, 1.0) == pytest.approx(thompson(CHANCES))


def test_a_near_certain_leader_leaves_the_runner_up_its_share():
    shares = top_two(np.array([1e-18, 1e-15, 1.0]), 0.5, 1.0)
    assert shares == pytest.approx([0.5 * 1e-3 / 1.001, 0.5 / 1.001, 0.5], rel=1e-6)


def test_rows_are_shared_out_each_by_itself():
    both = top_two(np.stack([CHANCES, CHANCES[::-1]]))
    assert both[1].tolist() == pytest.approx(both[0, ::-1].tolist())


def test_no_arm_falls_below_its_part_of_the_uniform_share():
    shares = keep_uniform(np.array([0.0, 0.25, 0.75]), 0.12)
    assert shares == pytest.approx([0.04, 0.26, 0.7])


@pytest.mark.parametrize("leader_share", [0.0, 1.1])
def test_a_leaders_share_outside_its_range_is_refused(leader_share: float):
    with pytest.raises(BadExperiment, match="leader's share"):
        top_two(CHANCES, leader_share)


def test_an_impossible_arm_is_refused():
    with pytest.raises(BadExperiment, match="probability 0"):
        top_two(np.array([0.0, 1.0]))


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_uniform_share_outside_its_range_is_refused(share: float):
    with pytest.raises(BadExperiment, match="uniform share"):
        keep_uniform(CHANCES, share)
