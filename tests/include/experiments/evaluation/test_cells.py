from dataclasses import replace

import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.evaluation.cells import Cells, mean_reward_by_arm, require_cells


def test_a_weight_is_worked_by_hand():
    cells = Cells(np.array([0, 1]), np.array([0.5, 0.2]), np.array([[0.25, 0.75], [0.4, 0.6]]), *[np.ones(2)] * 3)
    assert cells.weight.tolist() == pytest.approx([0.5, 3.0])
    assert cells.n_units == 2


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.5, float("nan")])
def test_one_bad_propensity_among_good_ones_is_refused_and_counted(make_cells, propensity: float):
    cells = make_cells()
    cells.propensity[7] = propensity
    with pytest.raises(BadExperiment, match=r"1 of 4,000 units have a propensity"):
        require_cells(cells)


def test_a_policy_that_is_none_is_refused(make_cells):
    cells = make_cells()
    cells.policy[3] = [0.5, 0.6, 0.1]
    with pytest.raises(BadExperiment, match=r"1 of 4,000 rows of the policy"):
        require_cells(cells)


def test_an_arm_that_the_policy_does_not_know_is_refused(make_cells):
    cells = make_cells()
    cells.arm[0] = 3
    with pytest.raises(BadExperiment, match="knows 3 arms"):
        require_cells(cells)


def test_a_single_unit_says_nothing(make_cells):
    cells = make_cells()
    with pytest.raises(BadExperiment, match="at least 2"):
        require_cells(replace(cells, n=cells.n / 4_000))


def test_an_arm_never_sent_is_predicted_by_all_others():
    cells = Cells(
        np.array([0, 1]),
        np.full(2, 0.3),
        np.full((2, 3), 1 / 3),
        np.array([2.0, 4.0]),
        np.array([1.0, 3.0]),
        np.ones(2),
    )
    assert mean_reward_by_arm(cells)[0] == pytest.approx([0.5, 0.75, 4 / 6])
