from dataclasses import replace

import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.evaluation.cells import Cells, mean_reward_by_arm
from include.experiments.evaluation.estimators import (
    Estimate,
    direct,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)

# The policy of the fixture: half of the units are of each kind.
TRUTH = 0.5 * (0.1 * 0.1 + 0.2 * 0.2 + 0.7 * 0.4) + 0.5 * (0.1 * 0.2 + 0.8 * 0.3 + 0.1 * 0.5)
BY_KIND = np.array([[0.1, 0.2, 0.4], [0.2, 0.3, 0.5]])


def by_unit(cells: Cells, predicted: np.ndarray, largest: float = np.inf) -> dict[str, float]:
    """Estimate by one loop over units, as the papers write it: the second implementation."""
    ips, weights, dm, dr = 0.0, 0.0, 0.0, 0.0
    for place, arm in enumerate(cells.arm):
        weight, reward = cells.policy[place, arm] / cells.propensity[place], cells.total[place]
        gain = sum(cells.policy[place] * predicted[place])
        ips, weights, dm = ips + weight * reward, weights + weight, dm + gain
        dr += gain + (weight * (reward - predicted[place, arm]) if weight <= largest else 0.0)
    n = len(cells.arm)
    return {"ips": ips / n, "snips": ips / weights, "dm": dm / n, "dr": dr / n}


def test_every_estimate_is_that_of_a_loop_over_units(make_cells):
    cells = make_cells()
    predicted = np.random.default_rng(3).random(cells.policy.shape)
    expected = by_unit(cells, predicted)
    assert inverse_propensity(cells).value == pytest.approx(expected["ips"], abs=1e-12)
    assert self_normalised(cells).value == pytest.approx(expected["snips"], abs=1e-12)
    assert direct(cells, predicted).value == pytest.approx(expected["dm"], abs=1e-12)
    assert doubly_robust(cells, predicted).value == pytest.approx(expected["dr"], abs=1e-12)


def test_a_switch_leaves_heavy_units_to_the_model(make_cells):
    cells = make_cells()
    predicted = np.random.default_rng(4).random(cells.policy.shape)
    assert doubly_robust(cells, predicted, 1.0).value == pytest.approx(by_unit(cells, predicted, 1.0)["dr"], abs=1e-12)
    assert doubly_robust(cells, predicted, 0.0) == direct(cells, predicted)


def test_summed_cells_say_the_same_as_single_units(make_cells):
    cells = make_cells()
    keys, place = np.unique(np.column_stack([cells.arm, cells.propensity, cells.policy]), axis=0, return_inverse=True)
    summed = Cells(
        keys[:, 0].astype(np.intp),
        keys[:, 1],
        keys[:, 2:],
        *(np.bincount(place, weights=part) for part in (cells.n, cells.total, cells.squares)),
    )
    assert len(summed.arm) == 6
    for estimate in (inverse_propensity, self_normalised):
        one, other = estimate(summed), estimate(cells)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-12)
    assert doubly_robust(summed, mean_reward_by_arm(summed)).high == pytest.approx(
        doubly_robust(cells, mean_reward_by_arm(cells)).high, abs=1e-12
    )


def test_evaluating_the_logs_own_policy_gives_the_plain_mean_and_its_error(make_cells):
    cells = make_cells()
    own = replace(cells, policy=np.eye(3)[cells.arm], propensity=np.ones(4_000))
    error = cells.total.std(ddof=1) / np.sqrt(4_000)
    for found in (inverse_propensity(own), self_normalised(own)):
        assert found.value == pytest.approx(cells.total.mean())
        assert found.high - found.value == pytest.approx(1.959964 * error)


def test_a_right_model_makes_the_interval_narrower(make_cells):
    cells = make_cells()
    right = BY_KIND[(cells.policy[:, 1] > 0.5).astype(int)]
    wide, narrow = inverse_propensity(cells), doubly_robust(cells, right)
    assert narrow.high - narrow.low < 0.95 * (wide.high - wide.low)


def test_what_was_never_sent_cannot_be_normalised(make_cells):
    cells = make_cells()
    never = replace(cells, policy=np.tile([0.0, 0.0, 1.0], (4_000, 1)), arm=np.zeros(4_000, dtype=np.intp))
    with pytest.raises(BadExperiment, match="None of 4,000 units"):
        self_normalised(never)


def test_intervals_hold_the_truth_as_often_as_they_say(make_cells):
    n_runs, held = 1_000, {"ips": 0, "snips": 0, "dr": 0}
    for seed in range(n_runs):
        cells = make_cells(seed=seed, n=1_000)
        found: dict[str, Estimate] = {
            "ips": inverse_propensity(cells),
            "snips": self_normalised(cells),
            "dr": doubly_robust(cells, mean_reward_by_arm(cells)),
        }
        for name, estimate in found.items():
            held[name] += estimate.low <= TRUTH <= estimate.high
    # Simulation error at 0.95 of 1,000 runs is 0.007.
    assert all(count / n_runs == pytest.approx(0.95, abs=0.021) for count in held.values()), held
