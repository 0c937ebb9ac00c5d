"""What the arms' true means may be, as draws; everything that chooses by chance starts here.

What belongs here: sums in, draws of the posterior out, and what they say at once. What does not: shares.

All arms are given one pooled prior: before its own units speak, an arm is like the average of all. So an arm of few
units and no reward does not look better than one of many units and some.
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment

Floats = NDArray[np.float64]
Counts = NDArray[np.number]

N_DRAWS = 20_000


def mirror_rewards(successes: Counts, trials: Counts, *, is_lower_better: bool) -> Floats:
    """Count what is wanted: the successes, or, where lower is better, everything else.

    Args:
        successes, trials: shape (..., n_arms), 0 <= successes <= trials.
        is_lower_better: whether a success is what nobody wants.

    Returns:
        shape (..., n_arms); with it every rule is the mirror image of itself, exactly.

    Raises:
        BadExperiment: fewer than two arms, or more successes than trials.
    """
    hits, units = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    require_arms(units)
    is_bad = ~((hits >= 0) & (hits <= units))
    if hits.shape != units.shape or is_bad.any():
        raise BadExperiment(
            f"{int(is_bad.sum())} of {units.size} arms have successes outside 0..trials "
            f"({hits.ravel()[:9].tolist()} of {units.ravel()[:9].tolist()}). Was a unit rewarded twice?"
        )
    return units - hits if is_lower_better else hits


def require_arms(units: Floats) -> None:
    """Refuse what cannot be shared out.

    Raises:
        BadExperiment: there are fewer than two arms, or an arm has fewer than 0 units.
    """
    if units.ndim < 1 or units.shape[-1] < 2:
        raise BadExperiment(
            f"Units of shape {units.shape} are not those of at least 2 arms; nothing can be shared out."
        )
    if not (np.isfinite(units) & (units >= 0)).all():
        raise BadExperiment(f"Arms have {units.ravel()[:9].tolist()} units; each needs a number from 0 on.")


def pooled_rate_prior(successes: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """Give the Beta prior of every arm: the rate of all together, worth one success or one failure, whichever is rarer.

    Args:
        successes, trials: shape (..., n_arms).

    Returns:
        (a, b), each shape (..., 1); of nothing seen, and of an even rate, (1, 1): the uniform prior.
    """
    rate = (successes.sum(axis=-1, keepdims=True) + 0.5) / (trials.sum(axis=-1, keepdims=True) + 1)
    weight = 1 / np.minimum(rate, 1 - rate)
    return rate * weight, (1 - rate) * weight


def mean_rates(successes: Floats, trials: Floats) -> Floats:
    """Give each arm's posterior mean under the pooled prior: shape (..., n_arms), 0..1."""
    a, b = pooled_rate_prior(successes, trials)
    return np.asarray((a + successes) / (a + b + trials))


def draw_rates(successes: Floats, trials: Floats, rng: np.random.Generator, n_draws: int = N_DRAWS) -> Floats:
    """Draw the arms' true rates.

    Args:
        successes, trials: shape (..., n_arms), counted as `mirror_rewards` does.
        rng: of the draws.
        n_draws: how many.

    Returns:
        shape (n_draws, ..., n_arms), 0..1.

    Source: Beta-Binomial; the pooled prior is empirical Bayes, Robbins 1956.
    """
    a, b = pooled_rate_prior(successes, trials)
    return rng.beta(a + successes, b + trials - successes, size=(n_draws, *successes.shape))


def draw_means(
    sums: Floats, squares: Floats, counts: Floats, rng: np.random.Generator, n_draws: int = N_DRAWS
) -> Floats:
    """Draw the arms' true means of a reward that is a number, such as money.

    With m0, v0 the mean and variance of all units, the prior of an arm is worth one unit of mean m0 and two of variance
    v0; then kappa = 1 + n, mean = (m0 + sum) / kappa, a = 1 + n / 2,
    b = v0 + (squares - sum² / n) / 2 + n (sum / n - m0)² / (2 kappa), and the draws are
    mean + sqrt(b / (a kappa)) t with 2 a degrees of freedom.

    Args:
        sums, squares, counts: shape (..., n_arms): sum of rewards, of their squares, and units; where lower is better
            the sums with their sign changed.
        rng: of the draws.
        n_draws: how many.

    Returns:
        shape (n_draws, ..., n_arms), in the reward's unit.

    Raises:
        BadExperiment: fewer than two arms, or units below 0.

    Source: normal with unknown variance, conjugate prior; Murphy 2007, sections 3.3 and 3.4.
    """
    require_arms(counts)
    n_all = np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
    pooled = sums.sum(axis=-1, keepdims=True) / n_all
    variance = np.maximum(squares.sum(axis=-1, keepdims=True) / n_all - pooled**2, 0.0)
    own = sums / np.maximum(counts, 1.0)
    within = np.maximum(squares - counts * own**2, 0.0)
    kappa, shape = 1 + counts, 1 + counts / 2
    spread = variance + within / 2 + counts * (own - pooled) ** 2 / (2 * kappa)
    t = rng.standard_t(2 * shape, size=(n_draws, *counts.shape))
    return np.asarray((pooled + sums) / kappa + np.sqrt(spread / (shape * kappa)) * t)


def best_probabilities(draws: Floats) -> Floats:
    """Say how likely each arm is the best: how often its draw is the highest, and what a draw more could have shown.

    Args:
        draws: shape (n_draws, ..., n_arms), higher is better; equal highest ones share their draw.

    Returns:
        shape (..., n_arms), above 0, summing to 1: what no draw showed may happen once in n_arms times as many.
    """
    n_draws, n_arms = len(draws), draws.shape[-1]
    is_highest = draws == draws.max(axis=-1, keepdims=True)
    share = (is_highest / is_highest.sum(axis=-1, keepdims=True)).sum(axis=0)
    return np.asarray((share + 1 / n_arms) / (n_draws + 1))


def expected_loss(draws: Floats, values: Floats, costs: Floats) -> Floats:
    """Say how much is lost on average by sending each arm instead of the one that is really best.

    Args:
        draws: shape (n_draws, n_arms), true means as drawn.
        values: shape (n_arms,), what one reward is worth; below 0 where lower is better.
        costs: shape (n_arms,), what sending the arm to one unit costs.

    Returns:
        shape (n_arms,), per unit in the unit of the values, at least 0; the least of them is the one to send.

    Raises:
        BadExperiment: the draws are not of as many arms as values and costs.

    Source: Stucchio 2015, "Bayesian A/B Testing at VWO", section 5, with a price for each arm.
    """
    if draws.ndim != 2 or values.shape != draws.shape[1:] or costs.shape != values.shape:
        raise BadExperiment(
            f"Draws of shape {draws.shape} cannot be valued by {values.shape} values and {costs.shape} costs; "
            "each arm needs one of both."
        )
    gains = draws * values - costs
    return np.asarray((gains.max(axis=1, keepdims=True) - gains).mean(axis=0))
