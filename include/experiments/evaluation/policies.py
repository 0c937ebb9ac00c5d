"""The policies that a log of an experiment is asked about: each variant for everybody, all alike, and what was done.

What belongs here: which policies, and every estimate of each. What does not: the estimates' formulas.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from include.experiments.evaluation.cells import Cells, mean_reward_by_arm
from include.experiments.evaluation.estimators import (
    Estimate,
    direct,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from include.experiments.evaluation.overlap import measure_overlap

UNIFORM = "uniform"
AS_LOGGED = "as_logged"
# Units that count for more than this many are left to the model in Switch-DR.
LARGEST_WEIGHT = 10.0


@dataclass(frozen=True)
class PropensitySum:
    """Mature units of one variant that were drawn with one propensity.

    Attributes:
        propensity: 0..1; 0 where the log has none.
        n, n_rewarded: units, and those with a reward.
    """

    variant: str
    propensity: float
    n: int
    n_rewarded: int


@dataclass(frozen=True)
class PolicyValue:
    """One estimate of what one policy earns; the columns of `core.off_policy_estimate` without their window.

    Attributes:
        value, low, high: reward rate and its 95 % interval; missing where the log never did what the policy does.
        n_units, n_left_out: units with and without a usable propensity.
        n_effective_units, largest_weight, mean_weight, low_mean_weight, high_mean_weight: see `overlap.Overlap`.
    """

    policy: str
    estimator: str
    value: float | None
    low: float | None
    high: float | None
    n_units: int
    n_left_out: int
    n_effective_units: float
    largest_weight: float
    mean_weight: float
    low_mean_weight: float
    high_mean_weight: float


def evaluate_policies(parts: Sequence[PropensitySum], variants: Sequence[str]) -> list[PolicyValue]:
    """Say what every policy would have earned, by every estimator; a unit without a propensity is counted, never used.

    Args:
        parts: mature units by variant and propensity.
        variants: all of them.

    Returns:
        five estimates of each policy, the same to the last digit whatever the order of `parts`; none while there are
        fewer than two units with a propensity.
    """
    used = [part for part in parts if 0 < part.propensity <= 1 and part.variant in variants]
    # Floating-point sums depend on the order of their terms, and the engine gives parts in any order.
    used.sort(key=lambda part: (variants.index(part.variant), part.propensity))
    n_left_out = sum(part.n for part in parts) - sum(part.n for part in used)
    if sum(part.n for part in used) < 2:
        return []
    arm = np.array([variants.index(part.variant) for part in used], dtype=np.intp)
    rewarded = np.array([part.n_rewarded for part in used], dtype=np.float64)
    n = np.array([part.n for part in used], dtype=np.float64)
    # A reward is 0 or 1, so that it is its own square.
    logged = Cells(arm, np.ones(len(used)), np.eye(len(variants))[arm], n, rewarded, rewarded)
    propensity = np.array([part.propensity for part in used])
    asked = {AS_LOGGED: logged}
    choices = {variant: np.eye(len(variants))[place] for place, variant in enumerate(variants)}
    for name, choice in (choices | {UNIFORM: np.full(len(variants), 1 / len(variants))}).items():
        asked[name] = replace(logged, propensity=propensity, policy=_for_all(choice, len(used)))
    return [value for name, cells in asked.items() for value in _estimate(name, cells, n_left_out)]


def _for_all(choice: NDArray[np.float64], n_cells: int) -> NDArray[np.float64]:
    """Make the same choice for every cell."""
    return np.tile(choice, (n_cells, 1))


def _estimate(name: str, cells: Cells, n_left_out: int) -> list[PolicyValue]:
    """Estimate one policy by every estimator."""
    overlap, model = measure_overlap(cells), mean_reward_by_arm(cells)
    found: dict[str, Estimate | None] = dict.fromkeys(("ips", "snips", "dm", "dr", "switch_dr"))
    if overlap.n_effective > 0:
        found = {
            "ips": inverse_propensity(cells),
            "snips": self_normalised(cells),
            "dm": direct(cells, model),
            "dr": doubly_robust(cells, model),
            "switch_dr": doubly_robust(cells, model, LARGEST_WEIGHT),
        }
    return [
        PolicyValue(
            policy=name,
            estimator=estimator,
            value=estimate.value if estimate else None,
            low=estimate.low if estimate else None,
            high=estimate.high if estimate else None,
            n_units=overlap.n_units,
            n_left_out=n_left_out,
            n_effective_units=overlap.n_effective,
            largest_weight=overlap.largest_weight,
            mean_weight=overlap.mean_weight,
            low_mean_weight=overlap.low_mean_weight,
            high_mean_weight=overlap.high_mean_weight,
        )
        for estimator, estimate in found.items()
    ]
