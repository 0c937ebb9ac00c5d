from dataclasses import replace

import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.evaluation.cells import Cells
from include.experiments.evaluation.overlap import measure_overlap


def test_effective_units_are_worked_by_hand():
    cells = Cells(
        np.array([0, 1]),
        np.array([0.5, 0.5]),
        np.array([[1.0, 0.0], [1.0, 0.0]]),
        np.array([30.0, 50.0]),
        *[np.ones(2)] * 2,
    )
    found = measure_overlap(cells)
    # Weights 2 and 0: (60)² / 120.
    assert (found.n_units, found.n_effective, found.largest_weight) == (80, 30.0, 2.0)
    assert found.mean_weight == 0.75


def test_the_own_policy_of_a_log_loses_no_unit(make_cells):
    cells = make_cells()
    own = replace(cells, policy=np.eye(3)[cells.arm], propensity=np.ones(4_000))
    assert measure_overlap(own).n_effective == 4_000


def test_a_policy_the_log_never_followed_has_no_unit(make_cells):
    cells = make_cells()
    never = replace(cells, policy=np.tile([0.0, 0.0, 1.0], (4_000, 1)), arm=np.zeros(4_000, dtype=np.intp))
    assert measure_overlap(never).n_effective == 0.0


def test_true_propensities_have_mean_weight_one_as_often_as_stated(make_cells):
    held = 0
    for seed in range(600):
        found = measure_overlap(make_cells(seed=seed, n=1_000))
        held += found.low_mean_weight <= 1 <= found.high_mean_weight
    assert held / 600 == pytest.approx(0.95, abs=0.027)


def test_propensities_of_another_log_are_noticed(make_cells):
    cells = make_cells()
    found = measure_overlap(replace(cells, propensity=np.full(4_000, 1 / 3)))
    assert not found.low_mean_weight <= 1 <= found.high_mean_weight


def test_a_log_without_units_is_refused(make_cells):
    cells = make_cells()
    with pytest.raises(BadExperiment, match="at least 2"):
        measure_overlap(replace(cells, n=np.zeros(4_000)))
