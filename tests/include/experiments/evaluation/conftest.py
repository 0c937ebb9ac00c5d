from collections.abc import Callable

import numpy as np
import pytest

from include.experiments.evaluation.cells import Cells

MakeCells = Callable[..., Cells]


def _make_cells(seed: int = 1, n: int = 4_000, n_arms: int = 3) -> Cells:
    """Draw a log whose propensities depend on the unit, with rewards that depend on arm and unit."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    propensities = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])[kind][:, :n_arms]
    arm = (rng.random((n, 1)) > propensities.cumsum(axis=1)).sum(axis=1)
    reward = (rng.random(n) < np.array([0.1, 0.2, 0.4])[arm] + 0.1 * kind).astype(np.float64)
    policy = np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])[kind]
    return Cells(arm, propensities[np.arange(n), arm], policy, np.ones(n), reward, reward**2)


@pytest.fixture
def make_cells() -> MakeCells:
    return _make_cells
