"""Which of many items are chosen: by the model's doubt, or by chance.

What belongs here: arrays in, positions in those arrays out. What does not: where the pool comes from (`pool.py`), and
how a batch is divided between the arms (`planning.py`).
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from include.errors import BadProbabilities

TOLERANCE = 1e-6  # how far a row may be from summing to 1: float32 scores of a few hundred classes stay below it


def predictive_entropy(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how undecided the model is about each row.

    Args:
        proba: shape (n_rows, n_classes). Rows are >= 0 and sum to 1 within 1e-6.

    Returns:
        shape (n_rows,), in nats: 0 is certain, ln(n_classes) is a dead heat.

    Raises:
        BadProbabilities: any row breaks the rule above; the message names the worst row.

    Source: Shannon 1948, section 6; as a query rule, Settles 2009, section 3.1.
    """
    require_probabilities(proba)
    # entr(0) is 0, so 0 * log(0) never appears; below 0 (within the tolerance) it would be -inf.
    entropy: NDArray[np.float64] = entr(np.clip(proba, 0.0, 1.0)).sum(axis=1)
    return entropy


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
    require_probabilities(proba)
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
    require_probabilities(proba)
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


def choose_random(item_ids: NDArray[np.str_], n_chosen: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose items by chance alone, each with the same probability.

    Args:
        item_ids: shape (n_items,), unique.
        n_chosen: how many; all items when there are fewer.
        rng: the draw; the same seed and the same set of ids give the same items, in whatever order the rows come.

    Returns:
        shape (min(n_chosen, n_items),): positions. Each item's chance of being among them is that size / n_items.

    Source: ours; simple random sampling without replacement.
    """
    n_chosen = max(0, min(n_chosen, item_ids.size))
    drawn = rng.choice(item_ids.size, size=n_chosen, replace=False) if n_chosen else np.empty(0, dtype=np.intp)
    chosen: NDArray[np.intp] = np.argsort(item_ids)[drawn]
    return chosen


def _tie_breakers(item_ids: NDArray[np.str_]) -> NDArray[np.uint64]:
    """Hash ids to numbers that are the same on every machine and say nothing about the row's place."""
    digests = b"".join(hashlib.blake2b(str(item).encode(), digest_size=8).digest() for item in item_ids)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def require_probabilities(proba: NDArray[np.float64]) -> None:
    """Refuse rows that are not probabilities, and name the worst one.

    Args:
        proba: shape (n_rows, n_classes).

    Raises:
        BadProbabilities: a row is negative, not finite or does not sum to 1 within 1e-6, or there is one class only.
    """
    if proba.ndim != 2 or proba.shape[1] < 2:
        raise BadProbabilities(
            f"`proba` has the shape {proba.shape}; allowed is (n_rows, n_classes) with at least 2 classes."
        )
    excess = np.maximum(np.abs(proba.sum(axis=1) - 1.0), np.maximum(-proba, proba - 1.0).max(axis=1, initial=0.0))
    excess = np.where(np.isnan(excess), np.inf, excess)
    n_bad = int((excess > TOLERANCE).sum())
    if n_bad:
        worst = int(excess.argmax())
        raise BadProbabilities(
            f"{n_bad} of {len(proba)} rows of `proba` are not probabilities "
            f"(worst: row {worst}, {proba[worst].tolist()}). "
            "Did you pass decision_function scores instead of predict_proba?"
        )


def _require_finite(entropy_nats: NDArray[np.float64]) -> None:
    """Refuse doubts that no number stands for."""
    bad = np.flatnonzero(~np.isfinite(entropy_nats))
    if bad.size:
        raise BadProbabilities(
            f"{bad.size} of {entropy_nats.size} entropies are not finite "
            f"(first: row {bad[0]}, {entropy_nats[bad[0]]}). Leave items without a prediction out of the ranking."
        )
