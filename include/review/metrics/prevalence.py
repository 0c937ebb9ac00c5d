"""What labels say about everything, although most of them were not chosen by chance.

What belongs here: answers, arms and pool sizes in; totals, means and weights out. What does not: agreement between
people (`metrics/agreement.py`).

The control arm of a round stands for the pool of that round: for what earlier rounds had left over. Added up without
weights, the control arms of several rounds stand for nothing, because uncertainty takes the hard items out of the pool.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError
from include.stats.proportions import korn_graubard


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


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


def estimate_share(
    is_positive: NDArray[np.bool_],
    round_index: NDArray[np.int64],
    is_random: NDArray[np.bool_],
    n_pool: NDArray[np.int64],
) -> Estimate:
    """Estimate which share of the whole population is positive, from labels of all rounds and arms.

    What is labelled is known; of the rest, the control arms' share has an exact interval at the number of plainly drawn
    items that they are worth. Neither end contradicts what is known: the positive ones that were found are there, and
    the negative ones, too.

    Args:
        is_positive: shape (n_labels,).
        round_index, is_random, n_pool: as for `weights_over_rounds`.

    Returns:
        the share with a 95 % interval.

    Raises:
        MulgilError: no round that counts has a control label.

    Source: as `weights_over_rounds`; Korn and Graubard 1998 for the interval, with the variance of Cochran 1977,
        section 2.6, summed over uncorrelated rounds.
    """
    n_rounds = len(n_pool)
    counts = np.bincount(round_index, minlength=n_rounds)
    n_random = np.bincount(round_index[is_random], minlength=n_rounds)
    shares = _shares_of_rounds(n_pool, n_random, counts)
    population = float(counts[:-1].sum() + n_pool[-1])
    mean = float((weights_over_rounds(round_index, is_random, n_pool) * is_positive).sum()) / population
    used = np.flatnonzero(shares)
    # Of the estimate, this part of the population is what the control arms stand for; the rest of it is known.
    parts, drawn = shares[used] * n_pool[used] / population, n_random[used]
    found = np.array([is_positive[is_random & (round_index == index)].mean() for index in used])
    spread = np.where(drawn > 1, found * (1 - found) * drawn / np.maximum(drawn - 1, 1), 0.25)
    weights = parts**2 * (1.0 - drawn / n_pool[used]) / drawn
    known, whole = mean - float((parts * found).sum()), float(parts.sum())
    low = high = mean
    if weights.sum() > 0:
        ends = korn_graubard(
            share=min(max((mean - known) / whole, 0.0), 1.0),
            variance=float((weights * spread).sum()) / whole**2,
            n_rows=max(whole**2 / float(weights.sum()), 1.0),
            n_degrees=max(1, int((drawn - 1).sum())),
        )
        low, high = (known + whole * end for end in ends)
    n_positive, n_negative = float(is_positive.sum()), float((~is_positive).sum())
    least, most = n_positive / population, 1.0 - n_negative / population
    return Estimate(*(float(np.clip(end, least, most)) for end in (mean, low, high)))


def _shares_of_rounds(
    n_pool: NDArray[np.int64], n_random: NDArray[np.int64], n_labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Divide the average between the rounds, by sizes alone: a share that looked at the answers would bias them.

    Raises:
        MulgilError: no round has answers of a control arm for the population of today.
    """
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
