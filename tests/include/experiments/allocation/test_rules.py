import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.allocation.rules import WaveRule, Windows, share_wave

MODES = ["waves", "top_two", "epsilon_greedy", "upper_confidence"]
REWARDED = np.array([[50.0, 60.0, 100.0], [55.0, 58.0, 110.0]])
MATURE = np.full((2, 3), 1_000.0)
WINDOWS = Windows(REWARDED, MATURE, np.full(3, 2_500.0))


def share(windows: Windows = WINDOWS, seed: int = 0, **rule: object) -> np.ndarray:
    return share_wave(windows, WaveRule(**rule), np.random.default_rng(seed))


@pytest.mark.parametrize("mode", MODES)
def test_every_rule_shares_all_units_and_forgets_no_arm(mode: str):
    shares = share(mode=mode, uniform_share=0.12)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0.04
    assert shares.argmax() == 2
    assert shares[2] > 0.7


@pytest.mark.parametrize("mode", MODES)
def test_while_nothing_was_rewarded_all_share_alike(mode: str):
    unequal = Windows(np.zeros((1, 2)), np.array([[1e5, 1e2]]), np.array([1e5, 1e2]))
    assert share(unequal, mode=mode).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("mode", MODES)
def test_what_was_best_long_ago_is_forgotten_where_asked(mode: str):
    turned = Windows(np.array([[300.0, 100.0]] * 3 + [[50.0, 90.0]]), np.full((4, 2), 1_000.0), np.full(2, 4_000.0))
    assert share(turned, mode=mode).argmax() == 0
    assert share(turned, mode=mode, last_windows=1).argmax() == 1
    assert share(turned, mode=mode, discount=0.01).argmax() == 1
    assert share(turned, mode=mode, discount=0.01, last_windows=2).argmax() == 1


def test_the_same_seed_shares_the_same_also_when_it_is_zero():
    close = Windows(np.array([[100.0, 101.0]]), np.full((1, 2), 1_000.0), np.full(2, 1_000.0))
    assert share(close, 0).tolist() == share(close, 0).tolist()
    assert share(close, 0).tolist() != share(close, 1).tolist()


def test_top_two_looks_harder_at_the_runner_up():
    near = Windows(np.array([[50.0, 90.0, 100.0]]), np.full((1, 3), 1_000.0), np.full(3, 1_000.0))
    assert share(near, mode="top_two")[1] > share(near, mode="waves")[1]


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(BadExperiment, match="no mode 'best'"):
        share(mode="best")


def test_units_that_have_not_answered_hold_an_upper_bound_back():
    rewarded, mature = np.array([[100.0, 100.0]]), np.full((1, 2), 1_000.0)
    waiting = Windows(rewarded, mature, np.array([1_000.0, 3_000.0]))
    shares = share(waiting, mode="upper_confidence")
    assert shares[0] > shares[1]
