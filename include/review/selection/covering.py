"""Which items stand for a pool: each choice covers what is like it, and what is covered is worth no second question.

What belongs here: vectors and weights in, positions out. What does not: what the vectors mean
(`selection/embeddings.py`), and which items are weighed (`selection/pool.py`).
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError

N_PROBES = 400  # items whose neighbourhoods say how wide one is
SMALLEST_RADIUS = 1e-6


def choose_covering(
    vectors: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_chosen: int,
    *,
    covered: NDArray[np.float64] | None = None,
    near_distance: float = 0.0,
) -> NDArray[np.intp]:
    """Choose the items that cover the most of what is still open, one after the other.

    An item covers another by exp(-(distance / radius)^2). The radius is such that each item that is asked about covers
    its own share of the pool: wide while labels are few, narrow once they are many.

    Args:
        vectors: shape (n_items, n_dimensions), finite.
        weights: shape (n_items,), >= 0: how much of the pool an item stands for, times how much is open about it.
        n_chosen: how many.
        covered: shape (n_labelled, n_dimensions): what has a label already; None for nothing.
        near_distance: items closer than this are one question; 0 drops exact copies only.

    Returns:
        shape (at most n_chosen,): positions, first what covers most; fewer where all the rest are near-copies. The
        heaviest, where all vectors are the same.

    Raises:
        MulgilError: a weight or vector is not finite, or a weight is negative.

    Source: greedy maximum coverage with a kernel, Bae et al. 2024, Generalized coverage for more robust low-budget
        active learning; weighted by uncertainty as there (uncertainty herding). The radius by count is ours.
    """
    require_usable(vectors, weights)
    n_chosen = min(n_chosen, len(vectors))
    if n_chosen <= 0:
        return np.empty(0, dtype=np.intp)
    if not np.ptp(vectors, axis=0).any():  # a description that tells nobody apart is none
        return np.argsort(-weights, kind="stable")[:n_chosen]
    places = vectors.astype(np.float32)
    known = np.zeros((0, places.shape[1]), np.float32) if covered is None else covered.astype(np.float32)
    scale = covering_radius(places, n_chosen + len(known)) ** 2
    near = np.full(len(places), np.inf, dtype=np.float32)
    for block in range(0, len(known), 512):
        near = np.minimum(near, squared_distances(places, known[block : block + 512]).min(axis=1))
    is_covered = np.exp(-near / scale)
    worth = (weights / max(float(weights.sum()), np.finfo(np.float64).tiny)).astype(np.float32)
    return _cover(places, worth, is_covered, n_chosen, scale, near_distance**2)


def weigh_uncertainty(scores: NDArray[np.float64], stands_for: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Weigh items by what they stand for in the pool and, as far as the model is to be believed, by its uncertainty.

    Where a model is no better than the base rate on rows it has not seen, its uncertainty says nothing: every item
    weighs the same, and the pool is covered. One that is nearly always right leaves open only what it is uncertain of.

    Args:
        scores: shape (n_items,): the strategy's, the higher the more worth asking; NaN where nobody scored the item.
        stands_for: shape (n_items,), > 0: items of the pool.
        gain: 0..1: share of the base rate's log loss that the model saves on rows it was not fitted on.

    Returns:
        shape (n_items,), >= 0; uncertainty has mean 1 over the pool, and an item without a score the mean.

    Source: ours.
    """
    is_scored = np.isfinite(scores)
    uncertainty = np.where(is_scored, np.maximum(scores, 0.0), 0.0)
    total = float((uncertainty * stands_for)[is_scored].sum())
    if not total:
        return stands_for.copy()
    share = uncertainty * float(stands_for[is_scored].sum()) / total
    weights: NDArray[np.float64] = stands_for * ((1.0 - gain) + gain * np.where(is_scored, share, 1.0))
    return weights


def covering_radius(vectors: NDArray[np.float32], n_shares: int) -> float:
    """Say within which distance of an item, at the median, lies its share of the items when they are so many shares."""
    step = max(1, len(vectors) // N_PROBES)
    gaps = squared_distances(vectors[::step], vectors)
    at = min(len(vectors) - 1, max(1, len(vectors) // n_shares))
    return max(float(np.sqrt(np.median(np.partition(gaps, at, axis=1)[:, at]))), SMALLEST_RADIUS)


def squared_distances(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure how far each of some places is from each of others, squared; shape (n_left, n_right)."""
    gaps: NDArray[np.float32] = left @ right.T
    gaps *= -2.0
    gaps += (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.maximum(gaps, 0.0, out=gaps)


def require_usable(vectors: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    """Refuse what a choice would choke on, or silently follow.

    Raises:
        MulgilError: a weight is negative, or something is not finite.
    """
    is_bad = ~np.isfinite(weights) | (weights < 0) | ~np.isfinite(vectors).all(axis=1)
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        raise MulgilError(
            f"{int(is_bad.sum())} of {len(weights)} items have a weight that is negative or a value that is not finite "
            f"(first: row {first}, weight {weights[first]}). Fill missing features, and leave unscored items out."
        )


def _cover(
    places: NDArray[np.float32],
    worth: NDArray[np.float32],
    is_covered: NDArray[np.float32],
    n_chosen: int,
    scale: float,
    near_squared: float,
) -> NDArray[np.intp]:
    """Take the item that covers most, again and again.

    What an item would add never grows while others are chosen, so that only those at the top are asked again (Minoux
    1978).
    """

    def gains_of(some: NDArray[np.float32]) -> NDArray[np.float32]:
        covers = np.exp(squared_distances(some, places) / -scale)
        added: NDArray[np.float32] = np.maximum(covers - is_covered, 0.0) @ worth
        return added

    gains = np.concatenate([gains_of(places[block : block + 512]) for block in range(0, len(places), 512)])
    kept: list[int] = []
    asked_after = np.zeros(len(places), dtype=np.intp)
    while len(kept) < n_chosen:
        best = int(gains.argmax())
        if gains[best] < 0:  # all that is left repeats what was chosen
            break
        if asked_after[best] != len(kept):
            gains[best] = gains_of(places[best : best + 1])[0]
            asked_after[best] = len(kept)
            continue
        kept.append(best)
        gaps = ((places - places[best]) ** 2).sum(axis=1)
        is_covered = np.maximum(is_covered, np.exp(gaps / -scale))
        gains[gaps <= near_squared] = -1.0
        gains[best] = -1.0
    return np.asarray(kept, dtype=np.intp)
