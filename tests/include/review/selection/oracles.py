"""The strategies' formulas on arrays, each by its source: what the engine's expressions are compared with.

Not a test file. The product ranks on the engine (`selection/sql_ranking.py`); nothing of this ships.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, xlogy

from include.errors import BadProbabilities
from include.stats.probabilities import require_class_probabilities


def margin_doubt(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how close the two likeliest classes are; which of the others is less unlikely does not matter.

    Args:
        proba: shape (n_rows, n_classes). Rows are >= 0 and sum to 1 within 1e-6.

    Returns:
        shape (n_rows,), 0..1: 1 minus the margin between the two; 1 is a dead heat.

    Raises:
        BadProbabilities: any row breaks the rule above.

    Source: Scheffer, Decomain and Wrobel 2001; Settles 2009, section 3.1.
    """
    require_class_probabilities(proba)
    two = np.partition(proba, proba.shape[1] - 2, axis=1)[:, -2:]
    doubt: NDArray[np.float64] = 1.0 - (two[:, 1] - two[:, 0])
    return doubt


def least_confidence(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how likely the likeliest class is to be wrong.

    Args:
        proba: shape (n_rows, n_classes). Rows are >= 0 and sum to 1 within 1e-6.

    Returns:
        shape (n_rows,), 0 to 1 - 1 / n_classes.

    Raises:
        BadProbabilities: any row breaks the rule above.

    Source: Lewis and Gale 1994; Settles 2009, section 3.1.
    """
    require_class_probabilities(proba)
    doubt: NDArray[np.float64] = 1.0 - proba.max(axis=1)
    return doubt


def choose_most_uncertain(
    entropy_nats: NDArray[np.float64], item_ids: NDArray[np.str_], n_chosen: int
) -> NDArray[np.intp]:
    """Choose the items the model is least decided about; equal doubt is settled by a hash of the item's id.

    Args:
        entropy_nats: shape (n_items,), finite.
        item_ids: shape (n_items,), unique.
        n_chosen: how many; all items when there are fewer.

    Returns:
        shape (min(n_chosen, n_items),): positions, most uncertain first. The order of the rows changes nothing.

    Raises:
        BadProbabilities: an entropy is not finite: it would rank above every real doubt.

    Source: Settles 2009, section 3.1. The selection is linear in n_items; only ties at the edge are hashed.
    """
    _require_finite(entropy_nats)
    n_chosen = min(n_chosen, entropy_nats.size)
    if n_chosen <= 0:
        return np.empty(0, dtype=np.intp)
    # The n_chosen-th largest value: everything above it is in, and what equals it competes for the last places.
    edge = np.partition(entropy_nats, entropy_nats.size - n_chosen)[entropy_nats.size - n_chosen]
    above = np.flatnonzero(entropy_nats > edge)
    level = np.flatnonzero(entropy_nats == edge)
    level = level[np.argsort(_tie_breakers(item_ids[level]))][: n_chosen - above.size]
    chosen = np.concatenate([above, level])
    # lexsort: the last key is the first to decide.
    return chosen[np.lexsort((_tie_breakers(item_ids[chosen]), -entropy_nats[chosen]))]


def _tie_breakers(item_ids: NDArray[np.str_]) -> NDArray[np.uint64]:
    """Hash ids to numbers that are the same on every machine and say nothing about the row's place."""
    digests = b"".join(hashlib.blake2b(str(item).encode(), digest_size=8).digest() for item in item_ids)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def _require_finite(entropy_nats: NDArray[np.float64]) -> None:
    """Refuse doubts that no number stands for."""
    bad = np.flatnonzero(~np.isfinite(entropy_nats))
    if bad.size:
        raise BadProbabilities(
            f"{bad.size} of {entropy_nats.size} entropies are not finite "
            f"(first: row {bad[0]}, {entropy_nats[bad[0]]}). Leave items without a prediction out of the ranking."
        )


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
        require_class_probabilities(member)


def value_of_knowing(proba: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say what the best decision would gain on average if the answer were known before it.

    Two items of the same entropy differ where mistakes cost differently: an item near the threshold of the decision
    gains most, and one that is decided the same way whatever the answer gains nothing.

    Args:
        proba: shape (n_items, n_classes); every row sums to 1.
        values: shape (n_decisions, n_classes): worth of each decision when each class is true.

    Returns:
        shape (n_items,), in the unit of `values`, never below 0.

    Raises:
        BadProbabilities: a row is not a distribution, or `values` has another number of classes.

    Source: Howard 1966, expected value of perfect information; for queries, Settles 2009, section 3.4.
    """
    require_class_probabilities(proba)
    if values.ndim != 2 or values.shape[1] != proba.shape[1]:
        raise BadProbabilities(
            f"`values` has the shape {values.shape}, but `proba` {proba.shape}: both need one column for each class."
        )
    knowing = proba @ values.max(axis=0)
    deciding = (proba @ values.T).max(axis=1)
    gain: NDArray[np.float64] = np.maximum(knowing - deciding, 0.0)
    return gain
