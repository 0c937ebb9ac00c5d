"""What to ask about before there is a model: what is typical, and what is odd.

What belongs here: vectors in, positions out. What does not: the control arm, which is drawn as in every round.
"""

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from include.review.selection.covering import choose_covering

OUTLIER_SHARE = 0.1  # enough to meet what is odd; most of what is odd is only odd
N_TREES = 50


def choose_spread(
    vectors: NDArray[np.float64],
    stands_for: NDArray[np.float64],
    n_chosen: int,
    rng: np.random.Generator,
    *,
    covered: NDArray[np.float64] | None = None,
    near_distance: float = 0.0,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose items that stand for the regions of the pool, and a few that belong to none.

    Args:
        vectors: shape (n_items, n_dimensions), finite.
        stands_for: shape (n_items,), >= 0: items of the pool.
        n_chosen: how many in all; a tenth of them, rounded down, are outliers.
        rng: the draw of the forest's trees.
        covered, near_distance: as in `choose_covering`.

    Returns:
        (spread, outliers): positions, none in both.

    Raises:
        MulgilError: a vector is not finite.

    Source: spread as in `choose_covering`; outliers by Liu, Ting and Zhou 2008, Isolation forest.
    """
    n_outliers = math.floor(min(n_chosen, len(vectors)) * OUTLIER_SHARE)
    # What is typical first: an outlier that covers a region of its own is typical of it.
    spread = choose_covering(vectors, stands_for, n_chosen - n_outliers, covered=covered, near_distance=near_distance)
    if not n_outliers:
        return spread, np.empty(0, dtype=np.intp)
    rest = np.setdiff1d(np.arange(len(vectors)), spread)
    oddness = -_isolate(vectors, rng)[rest]
    return spread, rest[np.argsort(-oddness, kind="stable")[:n_outliers]]


def _isolate(vectors: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Say how hard each item is to tell from the others; the lowest are the odd ones."""
    forest = IsolationForest(n_estimators=N_TREES, random_state=int(rng.integers(2**31)))
    scores: NDArray[np.float64] = forest.fit(vectors).score_samples(vectors)
    return scores
