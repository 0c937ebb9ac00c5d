"""Which of the doubtful items make a varied batch: one from each region, and no question twice.

What belongs here: vectors and weights in, positions out. What does not: what the vectors mean (`describing.py`).
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from include.errors import MulgilError

N_ITERATIONS = 20  # centres hardly move after that; a batch does not need the last digit


def choose_diverse(
    vectors: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_chosen: int,
    rng: np.random.Generator,
    *,
    near_distance: float = 0.0,
) -> NDArray[np.intp]:
    """Choose one item for each of `n_chosen` regions, where the regions follow the weights.

    Weighted k-means draws its centres to where doubt is; the item nearest to each centre stands for its region. Of
    items that nearly repeat each other one is chosen, and the next in weight takes the place of the others.

    Args:
        vectors: shape (n_items, n_dimensions), finite.
        weights: shape (n_items,), >= 0: the doubt about each item, best items not necessarily first.
        n_chosen: how many.
        rng: the draw of the first centres (k-means++).
        near_distance: items closer than this are one question; 0 drops exact copies only.

    Returns:
        shape (at most n_chosen,): positions, the heaviest first; fewer where all the rest are near-copies.

    Raises:
        MulgilError: a weight or vector is not finite, or a weight is negative.

    Source: Zhdanov 2019, Diverse mini-batch active learning; the order and near-copies are ours.
    """
    _require_usable(vectors, weights)
    n_chosen = min(n_chosen, len(vectors))
    if n_chosen <= 0:
        return np.empty(0, dtype=np.intp)
    heaviest_first = np.argsort(-weights, kind="stable")
    if not np.ptp(vectors, axis=0).any():  # a description that tells nobody apart is none
        return heaviest_first[:n_chosen]
    nominated = find_medoids(vectors, weights, n_chosen, rng)
    # Stands for its region first; then whoever weighs most among the rest, where a region only repeated another.
    nominated = nominated[np.argsort(-weights[nominated], kind="stable")]
    queue = np.concatenate([nominated, heaviest_first[~np.isin(heaviest_first, nominated)]])
    return drop_near_copies(vectors, queue, n_chosen, near_distance)


def find_medoids(
    vectors: NDArray[np.float64], weights: NDArray[np.float64] | None, n_regions: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Find the item nearest to the centre of each region.

    Args:
        weights: shape (n_items,), >= 0; all alike when None, or when none is above 0.

    Returns:
        positions, at most one for each region: fewer when there are fewer different vectors.
    """
    # k-means cannot make more regions than there are different places, and says so in a warning.
    n_regions = min(n_regions, len(np.unique(vectors, axis=0)))
    if weights is not None and not weights.any():
        weights = None
    regions = KMeans(n_regions, n_init=1, max_iter=N_ITERATIONS, random_state=int(rng.integers(2**31)))
    distances = regions.fit(vectors, sample_weight=weights).transform(vectors)
    medoids: NDArray[np.intp] = np.unique(distances.argmin(axis=0))
    return medoids


def drop_near_copies(
    vectors: NDArray[np.float64], queue: NDArray[np.intp], n_chosen: int, near_distance: float
) -> NDArray[np.intp]:
    """Go through a queue and keep whoever is not too near to anybody kept before, until there are enough.

    Returns:
        shape (at most n_chosen,): the kept positions, in the order of the queue.
    """
    kept: list[int] = []
    for position in queue.tolist():
        if len(kept) == n_chosen:
            break
        gaps = ((vectors[kept] - vectors[position]) ** 2).sum(axis=1)
        if not kept or gaps.min() > near_distance**2:
            kept.append(position)
    return np.asarray(kept, dtype=np.intp)


def _require_usable(vectors: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    """Refuse what k-means would choke on, or silently follow."""
    is_bad = ~np.isfinite(weights) | (weights < 0) | ~np.isfinite(vectors).all(axis=1)
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        raise MulgilError(
            f"{int(is_bad.sum())} of {len(weights)} items have a weight that is negative or a value that is not finite "
            f"(first: row {first}, weight {weights[first]}). Fill missing features, and leave unscored items out."
        )
