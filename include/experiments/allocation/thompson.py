"""Shares by chance of being best: Thompson, and top-two Thompson, which looks harder at the runner-up.

What belongs here: probabilities of being best in, shares out. What does not: draws (`draws.py`).
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment

Floats = NDArray[np.float64]

# Of the units of a top-two batch, how many get the arm drawn as best; the others get the best of the rest. A half finds
# the best arm soonest, at 1 nobody looks at the runner-up on purpose; this loses little while looking
# (docs/benchmarks.md).
LEADER_SHARE = 0.95
# Thompson's rule looks around as if units came for ever. Where they end, squared probabilities earn more: of 10,000
# people at 5 / 5 / 6 %, 570 conversions instead of 566 (docs/benchmarks.md).
SHARPNESS = 2.0


def thompson(probabilities: Floats, sharpness: float = SHARPNESS) -> Floats:
    """Give an arm the more units the likelier it is the best: shares are probabilities to a power, scaled.

    Args:
        probabilities: shape (..., n_arms), of being the best.
        sharpness: the power, at least 0; 1 is Thompson's rule, 0 shares alike, and more trusts the front runner more.

    Returns:
        shape (..., n_arms), summing to 1.

    Raises:
        BadExperiment: the sharpness is below 0, or all probabilities are 0.

    Source: Thompson 1933; in batches, Scott 2010, section 3; the power, Thall and Wathen 2007.
    """
    if not sharpness >= 0:
        raise BadExperiment(f"Probabilities cannot be taken to the power of {sharpness}; allowed is 0 or more.")
    highest = probabilities.max(axis=-1, keepdims=True)
    if not (highest > 0).all():
        raise BadExperiment(
            "All arms have probability 0 of being the best, so nothing can be shared out; see draws.py."
        )
    powers = (probabilities / highest) ** sharpness
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def top_two(probabilities: Floats, leader_share: float = LEADER_SHARE, sharpness: float = SHARPNESS) -> Floats:
    """Give most units to the arm drawn as best, and the others to the one drawn as best among the rest.

    With P_i what `thompson` would give to i, the share of i is
    P_i (leader + (1 - leader) * sum over j != i of P_j / (1 - P_j)): with probability P_j the leader was j, and then i
    is the best of the rest with probability P_i / (1 - P_j).

    Args:
        probabilities: shape (..., n_arms), of being the best, each above 0.
        leader_share: 0..1, above 0; at 1 this is `thompson`.
        sharpness: as for `thompson`; at 1 leader and runner-up are drawn by the probabilities themselves.

    Returns:
        shape (..., n_arms), summing to 1.

    Raises:
        BadExperiment: the leader's share is not above 0 and at most 1, the sharpness is below 0, or an arm has
            probability 0.

    Source: Russo 2020, "Simple Bayesian algorithms for best-arm identification", section 3.3.
    """
    if not 0 < leader_share <= 1:
        raise BadExperiment(f"A leader's share of {leader_share} is not possible; allowed is above 0, at most 1.")
    if not (probabilities > 0).all():
        raise BadExperiment("An arm has probability 0 of being the best, so no runner-up can be drawn; see draws.py.")
    p = thompson(probabilities, sharpness)
    # 1 - P_j as the sum of the others keeps its digits where P_j is nearly 1.
    n_arms = p.shape[-1]
    others = p @ (1 - np.eye(n_arms))
    odds = p / others
    shares = p * (leader_share + (1 - leader_share) * (odds @ (1 - np.eye(n_arms))))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def keep_uniform(shares: Floats, uniform_share: float) -> Floats:
    """Keep some units for all arms alike: no arm is forgotten, and what the rule adds can be measured.

    Args:
        shares: shape (..., n_arms), summing to 1.
        uniform_share: 0..1, of all units; each arm has at least uniform_share / n_arms.

    Returns:
        shape (..., n_arms), summing to 1.

    Raises:
        BadExperiment: the uniform share is not between 0 and 1.
    """
    if not 0 <= uniform_share <= 1:
        raise BadExperiment(f"A uniform share of {uniform_share} is not possible; allowed is 0 to 1.")
    return np.asarray(uniform_share / shares.shape[-1] + (1 - uniform_share) * shares)
