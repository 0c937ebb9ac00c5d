"""Estimates of what a policy earns per unit, each with its interval.

What belongs here: cells in, an estimate out. What does not: what a log supports at all (`overlap.py`).

Intervals are normal, of the influence of each unit. The direct method's leaves out what its model gets wrong, and any
of them is too narrow where few units carry the weight: see `overlap.py` first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment
from include.experiments.evaluation.cells import Cells, require_cells

Floats = NDArray[np.float64]

Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point


@dataclass(frozen=True)
class Estimate:
    """What a policy earns.

    Attributes:
        value: per unit, in the reward's unit.
        low, high: 95 % interval.
    """

    value: float
    low: float
    high: float


def inverse_propensity(cells: Cells) -> Estimate:
    """Average rewards, each counting as much more as the policy would have sent its arm more often (IPS).

    Right on average whatever the rewards; wide where propensities are small.

    Args:
        cells: of the log.

    Raises:
        BadExperiment: see `require_cells`.

    Source: Horvitz and Thompson 1952; Strehl, Langford, Li and Kakade 2010.
    """
    require_cells(cells)
    return _mean_of(cells, cells.weight, np.zeros(len(cells.n)))


def self_normalised(cells: Cells) -> Estimate:
    """Average weighted rewards and divide by the average weight, so that no estimate leaves the rewards' range (SNIPS).

    Args:
        cells: of the log.

    Raises:
        BadExperiment: see `require_cells`; or the log never sent what the policy sends.

    Source: Swaminathan and Joachims 2015.
    """
    require_cells(cells)
    weight, n = cells.weight, cells.n_units
    share = float((weight * cells.n).sum() / n)
    if share == 0:
        raise BadExperiment(f"None of {n:,.0f} units was sent what the policy sends; the log says nothing about it.")
    value = float((weight * cells.total).sum() / n / share)
    # The influence of a unit is weight (reward - value) / share, which is 0 on average.
    squares = cells.squares - 2 * value * cells.total + value**2 * cells.n
    return _around(value, float((weight**2 * squares).sum() / n / share**2), n)


def direct(cells: Cells, predicted: Floats) -> Estimate:
    """Average what a model predicts for the policy's arms, without looking at rewards again (DM).

    Args:
        cells: of the log.
        predicted: shape (n_cells, n_arms), reward of each arm for such a unit.

    Raises:
        BadExperiment: see `require_cells`.

    Source: Beygelzimer and Langford 2009.
    """
    require_cells(cells)
    return _mean_of(cells, np.zeros(len(cells.n)), _predicted_gain(cells, predicted))


def doubly_robust(cells: Cells, predicted: Floats, largest_weight: float = np.inf) -> Estimate:
    """Correct a model's prediction by the rewards it got wrong: right when either model or propensities are (DR).

    Units whose weight is above the largest are left to the model alone (Switch-DR).

    Args:
        cells: of the log.
        predicted: shape (n_cells, n_arms), as for `direct`.
        largest_weight: at least 0; without it no unit is left to the model.

    Raises:
        BadExperiment: see `require_cells`.

    Source: Dudik, Langford and Li 2011; Wang, Agarwal and Dudik 2017, section 4, for the switch.
    """
    require_cells(cells)
    weight = np.where(cells.weight <= largest_weight, cells.weight, 0.0)
    sent = predicted[np.arange(len(cells.arm)), cells.arm]
    return _mean_of(cells, weight, _predicted_gain(cells, predicted) - weight * sent)


def _predicted_gain(cells: Cells, predicted: Floats) -> Floats:
    """Say what the model predicts for the policy: shape (n_cells,)."""
    return np.asarray((cells.policy * predicted).sum(axis=1))


def _mean_of(cells: Cells, weight: Floats, constant: Floats) -> Estimate:
    """Average weight * reward + constant over units, with the interval of that average."""
    n = cells.n_units
    value = float((weight * cells.total + constant * cells.n).sum() / n)
    squares = weight**2 * cells.squares + 2 * weight * constant * cells.total + constant**2 * cells.n
    return _around(value, float(squares.sum() / n) - value**2, n)


def _around(value: float, variance: float, n: float) -> Estimate:
    """Put the interval around an average of n units."""
    reach = Z_95 * float(np.sqrt(max(variance, 0.0) / (n - 1)))
    return Estimate(value, value - reach, value + reach)
