"""What labels say about everything, although most of them were not chosen by chance.

What belongs here: answers, arms and pool sizes in; totals, means and weights out. What does not: agreement between
people (`agreement.py`).

The control arm of a round stands for the pool of that round: for what earlier rounds had left over. Added up without
weights, the control arms of several rounds stand for nothing, because doubt takes the hard items out of the pool.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError

NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def horvitz_thompson_total(values: NDArray[np.float64], inclusion_probability: NDArray[np.float64]) -> float:
    """Estimate the sum over a pool from items that were drawn with known chances.

    Args:
        values: shape (n_drawn,), what was found about each drawn item.
        inclusion_probability: shape (n_drawn,), above 0, at most 1: the chance that the item was drawn.

    Returns:
        the total over the pool, unbiased if every item of the pool had a chance.

    Raises:
        MulgilError: a chance is not in (0, 1].

    Source: Horvitz and Thompson 1952.
    """
    _require_chances(inclusion_probability)
    return float((values / inclusion_probability).sum())


def hajek_mean(values: NDArray[np.float64], inclusion_probability: NDArray[np.float64]) -> float:
    """Estimate the mean over a pool whose size need not be known; steadier than the total over a wrong size.

    Args:
        values, inclusion_probability: as for `horvitz_thompson_total`, at least one item.

    Raises:
        MulgilError: nothing was drawn, or a chance is not in (0, 1].

    Source: Hajek 1971.
    """
    if not values.size:
        raise MulgilError("0 items were drawn, so there is no mean. Wait until some of the control arm are answered.")
    return horvitz_thompson_total(values, inclusion_probability) / float((1.0 / inclusion_probability).sum())


def weights_over_rounds(
    round_index: NDArray[np.int64],
    is_random: NDArray[np.bool_],
    n_pool: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Say how many items of the population each label stands for, whatever chose the others.

    After round r the total over the population is known in part and estimated in part:

        T_r = sum of y over everything labelled before round r + n_pool_r / n_random_r * sum of y over r's control arm

    Each T_r is unbiased, because given the past the control arm is a plain random sample of what is left, and the T_r
    of different rounds are uncorrelated. Their average, weighted by the precision that their sizes promise, gives each
    label its weight: a label of round q counts once in every later T_r, and a control label also for its own pool.

    Args:
        round_index: shape (n_labels,), the round of each label, from 0.
        is_random: shape (n_labels,), whether the control arm chose it.
        n_pool: shape (n_rounds,), unlabelled items each round was chosen from. What was labelled before a round and
            its pool are one population of the same size in all rounds that are to count.

    Returns:
        shape (n_labels,): weights; for any y, the sum of weight * y estimates its total over the newest population.
        Rounds from before the population changed its size lend their labels, but not their control arms.

    Raises:
        MulgilError: no round that counts has a control label.

    Source: Des Raj 1956 (ordered estimators); as levelled weights for active learning, Farquhar, Gal and Rainforth
        2021.
    """
    n_rounds = len(n_pool)
    n_random = np.bincount(round_index[is_random], minlength=n_rounds)
    shares = _shares_of_rounds(n_pool, n_random, np.bincount(round_index, minlength=n_rounds))
    later = shares.sum() - np.cumsum(shares)
    grossed_up = shares * np.divide(n_pool, n_random, out=np.zeros(n_rounds), where=n_random > 0)
    weights: NDArray[np.float64] = later[round_index] + np.where(is_random, grossed_up[round_index], 0.0)
    return weights


def estimate_mean(
    values: NDArray[np.float64],
    round_index: NDArray[np.int64],
    is_random: NDArray[np.bool_],
    n_pool: NDArray[np.int64],
) -> Estimate:
    """Estimate a mean over the whole population from labels of all rounds and arms.

    Args:
        values: shape (n_labels,), 0 and 1 for a share.
        round_index, is_random, n_pool: as for `weights_over_rounds`.

    Returns:
        the mean with an interval from the spread inside each control arm.

    Raises:
        MulgilError: no round that counts has a control label.

    Source: as `weights_over_rounds`; the variance is Cochran 1977, section 2.6, summed over uncorrelated rounds.
    """
    n_rounds = len(n_pool)
    counts = np.bincount(round_index, minlength=n_rounds)
    n_random = np.bincount(round_index[is_random], minlength=n_rounds)
    shares = _shares_of_rounds(n_pool, n_random, counts)
    population = float(counts[:-1].sum() + n_pool[-1])
    mean = float((weights_over_rounds(round_index, is_random, n_pool) * values).sum()) / population
    variance = 0.0
    for index in np.flatnonzero(shares):
        drawn = values[is_random & (round_index == index)]
        spread = float(drawn.var(ddof=1)) if drawn.size > 1 else 0.25  # 0.25: the most that a share can vary
        left = 1.0 - drawn.size / n_pool[index]
        variance += (shares[index] * n_pool[index] / population) ** 2 * left * spread / drawn.size
    half = NORMAL_95 * float(np.sqrt(variance))
    return Estimate(mean, mean - half, mean + half)


def _shares_of_rounds(
    n_pool: NDArray[np.int64], n_random: NDArray[np.int64], n_labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Divide the average between the rounds, by sizes alone: a share that looked at the answers would bias them."""
    labelled_before = np.concatenate([[0], np.cumsum(n_labels)[:-1]])
    is_counted = (labelled_before + n_pool == labelled_before[-1] + n_pool[-1]) & (n_random > 0)
    if not is_counted.any():
        raise MulgilError(
            f"0 of {len(n_pool)} rounds have answers of a control arm for the population of today. "
            "Answer some of the randomly drawn items first."
        )
    # The variance of T_r is n_pool (n_pool - n_random) / n_random times the spread; 0.5 where everything was drawn.
    precision = n_random / (n_pool * np.maximum(n_pool - n_random, 0.5))
    precision = np.where(is_counted, precision, 0.0)
    shares: NDArray[np.float64] = precision / precision.sum()
    return shares


def _require_chances(inclusion_probability: NDArray[np.float64]) -> None:
    """Refuse what is no chance of having been drawn."""
    is_bad = ~((inclusion_probability > 0) & (inclusion_probability <= 1))
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        raise MulgilError(
            f"{int(is_bad.sum())} of {is_bad.size} inclusion probabilities are not above 0 and at most 1 "
            f"(first: row {first}, {inclusion_probability[first]}). Take them from core.review_item."
        )
