"""How much the members of a committee disagree about each item.

What belongs here: probabilities of several models in, one number for each item out. What does not: who the members are
(`pool.py`: the models of the last rounds, whose scores the lake still has).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, xlogy

from include.errors import BadProbabilities
from include.review.sampling import require_probabilities


def vote_entropy(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how split the committee's votes are, each member voting for its likeliest class.

    Args:
        proba: shape (n_members, n_items, n_classes); every row sums to 1.

    Returns:
        shape (n_items,), in nats: 0 where all members vote alike, at most ln(min(n_members, n_classes)).

    Raises:
        BadProbabilities: there is no member, or a row is not a distribution.

    Source: Dagan and Engelson 1995; Settles 2009, section 3.2.
    """
    _require_committee(proba)
    votes = proba.argmax(axis=2)
    shares = np.stack([(votes == label).mean(axis=0) for label in range(proba.shape[2])])
    split: NDArray[np.float64] = entr(shares).sum(axis=0)
    return split


def divergence_from_consensus(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how far the members are from what they think on average: they disagree, they are not merely unsure.

    Args:
        proba: shape (n_members, n_items, n_classes); every row sums to 1.

    Returns:
        shape (n_items,), mean Kullback-Leibler divergence from the consensus, in nats; 0 where all say the same.

    Raises:
        BadProbabilities: there is no member, or a row is not a distribution.

    Source: McCallum and Nigam 1998; Settles 2009, section 3.2.
    """
    _require_committee(proba)
    consensus = proba.mean(axis=0)
    # sum p ln(p / c) = sum p ln p - p ln c; where c is 0 every p is 0, and xlogy(0, 0) is 0.
    divergence: NDArray[np.float64] = (xlogy(proba, proba) - xlogy(proba, consensus)).sum(axis=2).mean(axis=0)
    return np.maximum(divergence, 0.0)


def _require_committee(proba: NDArray[np.float64]) -> None:
    """Refuse an empty committee, and members that give no probabilities."""
    if proba.ndim != 3 or proba.shape[0] == 0:
        raise BadProbabilities(
            f"A committee has the shape (n_members, n_items, n_classes), one member at least; this is {proba.shape}."
        )
    for member in proba:
        require_probabilities(member)
