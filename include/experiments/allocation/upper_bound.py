"""Rules without chance: the arm of the highest upper bound, and the front runner with a few for all.

What belongs here: sums in, shares out. What does not: shares by chance (`thompson.py`).
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment
from include.experiments.allocation.draws import require_arms
from include.experiments.allocation.thompson import keep_uniform

Floats = NDArray[np.float64]

N_STEPS = 200  # parts in which a batch is filled


def upper_confidence(rewards: Floats, units: Floats, pending: Floats, n_units: int, width: float = 2.0) -> Floats:
    """Fill a batch step by step with the arm whose upper bound is highest, each step narrowing its own bound.

    The bound is mean + sqrt(log N / n * min(1/4, v + sqrt(width log N / n))), v = mean (1 - mean), N units of all arms.
    Units without an answer yet, and units of this batch, narrow a bound though their rewards are not known: so a batch
    is shared by arms that are close, and delayed rewards do not make the same arm be chosen for ever.

    Args:
        rewards, units: shape (n_arms,), of units that have answered, 0 <= rewards <= units.
        pending: shape (n_arms,), units sent that have not answered.
        n_units: the batch, at least 1.
        width: above 0; more looks around more.

    Returns:
        shape (n_arms,), summing to 1; an arm without a unit is filled first.

    Raises:
        BadExperiment: fewer than two arms, an empty batch, or no width.

    Source: UCB1-tuned, Auer, Cesa-Bianchi and Fischer 2002, section 4; in batches by pretended units, Desautels,
        Krause and Burdick 2014.
    """
    require_arms(units)
    if n_units < 1 or not width > 0:
        raise BadExperiment(f"A batch of {n_units} units and a width of {width} cannot be filled; both are above 0.")
    counts = units + pending
    mean = np.divide(rewards, units, out=np.ones(len(units)), where=units > 0)
    step, given = n_units / N_STEPS, np.zeros(len(units))
    for _ in range(N_STEPS):
        n = counts + given
        log = np.log(max(n.sum(), 2.0))
        safe = np.maximum(n, 1e-300)
        spread = np.minimum(0.25, mean * (1 - mean) + np.sqrt(width * log / safe))
        bound = np.where(n > 0, mean + np.sqrt(log / safe * spread), np.inf)
        is_highest = bound == bound.max()
        given += step * is_highest / is_highest.sum()
    return np.asarray(given / given.sum())


def epsilon_greedy(means: Floats, units: Floats, epsilon: float = 0.1) -> Floats:
    """Give all but a few units to the front runner, and those few to all arms alike.

    Args:
        means: shape (..., n_arms), higher is better; equal highest ones share.
        units: shape (..., n_arms); while an arm has none, only such arms are front runners.
        epsilon: 0..1, the few.

    Returns:
        shape (..., n_arms), summing to 1.

    Raises:
        BadExperiment: epsilon is not between 0 and 1.

    Source: Sutton and Barto 2018, section 2.2.
    """
    score = np.where(units > 0, means, np.inf)
    is_highest = score == score.max(axis=-1, keepdims=True)
    return keep_uniform(is_highest / is_highest.sum(axis=-1, keepdims=True), epsilon)
