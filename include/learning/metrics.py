"""How good probabilities are, with intervals from resampled rows.

Every metric takes weights of shape (n_resamples, n_rows), so that a whole bootstrap is a few matrix products. The plain
metric is the one with a single row of ones. What does not belong here: whether a number is good enough (`gating.py`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProbabilities

N_BINS = 10
# Below this many blocks (days) a bootstrap over blocks says little about their spread; rows are drawn instead.
MINIMUM_BLOCKS = 10
_CLIP = 1e-6  # a log loss stays finite when a model was certain and wrong; 13.8 nats is punishment enough

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


def ones(n_rows: int) -> Floats:
    """Give the weights of the plain metric: shape (1, n_rows)."""
    return np.ones((1, n_rows))


def draw_weights(
    n_rows: int, n_resamples: int, rng: np.random.Generator, blocks: NDArray[np.int64] | None = None
) -> Floats:
    """Draw how often each row is in each resample.

    Args:
        n_rows: rows that were measured.
        n_resamples: how many resamples.
        blocks: shape (n_rows,), number of the block (day) of each row, from 0. Rows of a day share its weather, so
            whole days are drawn where there are at least 10; else, and without blocks, rows.

    Returns:
        shape (n_resamples, n_rows), whole numbers; the same weights for every candidate make comparisons paired.

    Source: Efron and Tibshirani 1993, chapters 6 and 8.6.
    """
    n_blocks = int(blocks.max()) + 1 if blocks is not None and len(blocks) else 0
    n_drawn = n_blocks if n_blocks >= MINIMUM_BLOCKS else n_rows
    drawn = rng.integers(0, n_drawn, size=(n_resamples, n_drawn)) + np.arange(n_resamples)[:, None] * n_drawn
    weights = np.bincount(drawn.ravel(), minlength=n_resamples * n_drawn).reshape(n_resamples, n_drawn)
    if blocks is not None and n_blocks >= MINIMUM_BLOCKS:
        weights = weights[:, blocks]
    return weights.astype(np.float32)  # exact for counts below 2^24, and half the memory


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Average rows under each resample: shape (n_resamples,)."""
    return np.asarray(weights @ values.astype(weights.dtype) / weights.sum(axis=1))


def auc(is_positive: Flags, p: Floats, weights: Floats) -> Floats:
    """Say how often a positive row gets a higher probability than a negative one; ties count half.

    Args:
        is_positive: shape (n_rows,).
        p: shape (n_rows,).
        weights: shape (n_resamples, n_rows).

    Returns:
        shape (n_resamples,), 0..1; NaN where a resample holds one class only.

    Source: Hanley and McNeil 1982.
    """
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf) > 0)
    positive = np.add.reduceat((weights * is_positive)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * ~is_positive)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    wins = (positive * (below + negative / 2)).sum(axis=1)
    return np.asarray(np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))


def log_loss(is_positive: Flags, p: Floats, weights: Floats) -> Floats:
    """Average the surprise at what happened, in nats: shape (n_resamples,), 0 is best."""
    return weighted_mean(row_log_loss(is_positive, p), weights)


def row_log_loss(is_positive: Flags, p: Floats) -> Floats:
    """Give each row's surprise at what happened, in nats: shape (n_rows,)."""
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    return np.asarray(-np.log(np.where(is_positive, clipped, 1 - clipped)))


def brier(is_positive: Flags, p: Floats, weights: Floats) -> Floats:
    """Average the squared error of the probability: shape (n_resamples,), 0..1, 0 is best."""
    return weighted_mean((p - is_positive) ** 2, weights)


def ece(is_positive: Flags, p: Floats, weights: Floats) -> Floats:
    """Average how far predicted and observed shares lie apart, over 10 bins of equal width.

    ECE = sum over bins of (n_bin / n) * |mean p in bin - share of positives in bin| = sum |sum of (p - y) in bin| / n.

    Returns:
        shape (n_resamples,), 0..1, 0 is best.

    Source: Naeini, Cooper and Hauskrecht 2015.
    """
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    in_bin = bins[:, None] == np.arange(N_BINS)[None, :]
    gaps = weights @ (in_bin * (p - is_positive)[:, None]).astype(weights.dtype)
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))


def ece_by_chance(p: Floats, rng: np.random.Generator, n_draws: int = 200) -> float:
    """Say what ECE perfect probabilities would show on so few rows: few rows never look calibrated.

    Args:
        p: shape (n_rows,), taken as the truth.
        n_draws: how many outcomes are drawn from it.

    Returns:
        mean ECE over the draws, 0..1.
    """
    drawn = rng.random((n_draws, len(p))) < p
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    in_bin = (bins[:, None] == np.arange(N_BINS)[None, :]).astype(np.float64)
    gaps = (p - drawn) @ in_bin
    return float(np.abs(gaps).sum(axis=1).mean() / len(p))


def measure(is_positive: Flags, p: Floats, profit: Floats, weights: Floats) -> dict[str, Floats]:
    """Measure one candidate under every metric.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), its probabilities, 0..1.
        profit: shape (n_rows,), what its actions earned.
        weights: shape (n_resamples, n_rows).

    Returns:
        auc, log_loss, brier, ece and expected_profit (per row), each of shape (n_resamples,).

    Raises:
        BadProbabilities: a value of `p` is not between 0 and 1.
    """
    require_probabilities(p)
    return {
        "auc": auc(is_positive, p, weights),
        "log_loss": log_loss(is_positive, p, weights),
        "brier": brier(is_positive, p, weights),
        "ece": ece(is_positive, p, weights),
        "expected_profit": weighted_mean(profit, weights),
    }


def interval(resampled: Floats) -> tuple[float | None, float | None]:
    """Give the ends of the 95 % interval of a resampled metric; none where no resample had an answer."""
    answered = resampled[~np.isnan(resampled)]
    if not len(answered):
        return None, None
    low, high = np.quantile(answered, [0.025, 0.975])
    return float(low), float(high)


def require_probabilities(p: Floats) -> None:
    """Refuse what is not a probability.

    Raises:
        BadProbabilities: the message names how many and the worst row.
    """
    is_bad = ~((p >= 0) & (p <= 1))
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        raise BadProbabilities(
            f"{int(is_bad.sum()):,} of {len(p):,} values of `p` are not between 0 and 1 (first: row {row}, {p[row]}). "
            "Did a model give decision scores instead of probabilities?"
        )
