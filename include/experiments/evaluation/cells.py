"""Units of a log that were alike: the same arm sent with the same propensity.

What belongs here: the form of what is evaluated, and what makes it impossible. What does not: estimating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Units by what the log and the policy say of them; a cell may be one unit.

    Attributes:
        arm: shape (n_cells,), number of the arm that was sent, from 0.
        propensity: shape (n_cells,), with which probability the log sent it, above 0, at most 1.
        policy: shape (n_cells, n_arms), with which probability the policy sends each arm to such a unit; rows sum to 1.
        n: shape (n_cells,), units.
        total, squares: shape (n_cells,), sums of their rewards, and of the rewards' squares.
    """

    arm: NDArray[np.intp]
    propensity: Floats
    policy: Floats
    n: Floats
    total: Floats
    squares: Floats

    @property
    def weight(self) -> Floats:
        """Say how much more often the policy would have sent what was sent: shape (n_cells,)."""
        return np.asarray(self.policy[np.arange(len(self.arm)), self.arm] / self.propensity)

    @property
    def n_units(self) -> float:
        """Count the units."""
        return float(self.n.sum())


def require_cells(cells: Cells) -> None:
    """Refuse a log from which nothing can be said about another policy.

    Raises:
        BadExperiment: there are fewer than two units, a propensity is not above 0 and at most 1, a policy is none, or
            an arm has no number.
    """
    if cells.n_units < 2:
        raise BadExperiment(f"{cells.n_units:g} units say nothing about another policy; at least 2 are needed.")
    is_bad = ~((cells.propensity > 0) & (cells.propensity <= 1))
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        raise BadExperiment(
            f"{cells.n[is_bad].sum():,.0f} of {cells.n_units:,.0f} units have a propensity that is missing or "
            f"not above 0 and at most 1 (first: {cells.propensity[first]}). What was never possible says nothing: log "
            "the probability with which each arm was drawn, or leave those units out."
        )
    if cells.arm.min() < 0 or cells.arm.max() >= cells.policy.shape[1]:
        raise BadExperiment(
            f"The policy knows {cells.policy.shape[1]} arms, and the log has arms {cells.arm.min()} to "
            f"{cells.arm.max()}; each needs a number from 0 on."
        )
    is_off = (np.abs(cells.policy.sum(axis=1) - 1) > 1e-6) | (cells.policy < 0).any(axis=1)
    if is_off.any():
        first = int(np.flatnonzero(is_off)[0])
        raise BadExperiment(
            f"{int(is_off.sum()):,} of {len(is_off):,} rows of the policy are no probabilities (first: "
            f"{cells.policy[first].tolist()}); each sums to 1."
        )


def mean_reward_by_arm(cells: Cells) -> Floats:
    """Predict each arm's reward by its average in the log; of an arm that was never sent by the average of all.

    Returns:
        shape (n_cells, n_arms), the same in every row: the plainest model that `direct` and `doubly_robust` may take.
    """
    n_arms = cells.policy.shape[1]
    n = np.bincount(cells.arm, weights=cells.n, minlength=n_arms)
    total = np.bincount(cells.arm, weights=cells.total, minlength=n_arms)
    overall = cells.total.sum() / cells.n_units
    means = np.divide(total, n, out=np.full(n_arms, overall), where=n > 0)
    return np.broadcast_to(means, cells.policy.shape)
