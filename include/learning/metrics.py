"""How good probabilities are, each figure with an interval from resampled blocks of rows.

What does not belong here: resampling itself (`include/stats/bootstrap.py`), and whether a number is good enough
(`evaluation/gate_checks.py`).
"""

from dataclasses import dataclass

import numpy as np

from include.learning.protocols import Flags, Floats, Probabilities
from include.stats.bootstrap import Resamples
from include.stats.probabilities import require_probabilities, row_log_loss
from include.stats.reliability import N_BINS, expected_calibration_error, sum_equal_width

# Above so many cells (blocks times distinct probabilities) the resamples are asked one by one.
MAX_CELLS = 20_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its 95 % interval; none where nobody can say."""

    value: float
    low: float | None
    high: float | None


def measure(is_positive: Flags, p: Probabilities, profit: Floats, resamples: Resamples) -> dict[str, Estimate]:
    """Measure one candidate under every metric.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), its probabilities, 0..1.
        profit: shape (n_rows,), what its actions earned.
        resamples: of the rows.

    Returns:
        auc (none where the rows hold one class only), log_loss in nats, brier and ece, 0..1, and expected_profit a row.

    Raises:
        BadProbabilities: a value of `p` is not between 0 and 1.
    """
    require_probabilities(p)
    ranked = auc(is_positive, p)
    # Of ECE every resample adds chance of its own, so that its interval lies high.
    found = {
        "log_loss": estimate_mean(row_log_loss(is_positive, p), resamples),
        "brier": estimate_mean((p - is_positive) ** 2, resamples),
        "ece": _estimate(ece(is_positive, p), resampled_ece(is_positive, p, resamples), resamples),
        "expected_profit": estimate_mean(profit, resamples),
    }
    if not np.isnan(ranked):
        found["auc"] = _estimate(ranked, resampled_auc(is_positive, p, resamples), resamples)
    return found


def estimate_mean(values: Floats, resamples: Resamples) -> Estimate:
    """Average rows, with the interval of their mean."""
    exact = np.asarray(values, dtype=np.float64)
    return _estimate(float(exact.mean()), resamples.mean(exact), resamples)


def _estimate(value: float, resampled: Probabilities, resamples: Resamples) -> Estimate:
    """Put a figure into its interval."""
    return Estimate(value, *resamples.interval(value, resampled))


def auc(is_positive: Flags, p: Floats) -> float:
    """Say how often a positive row gets a higher probability than a negative one; ties count half.

    Args:
        is_positive: shape (n_rows,).
        p: shape (n_rows,).

    Returns:
        0..1; NaN of one class.

    Source: Hanley and McNeil 1982.
    """
    return float(_weighted_auc(is_positive, p, np.ones((1, len(p))))[0])


def resampled_auc(is_positive: Flags, p: Floats, resamples: Resamples) -> Probabilities:
    """Give the AUC of each resample: shape (n_resamples,); NaN where one holds one class only.

    Of blocks that are drawn whole, wins are counted once for each pair of blocks: with w how often each is drawn,
    AUC = w' W w / (w' positives * w' negatives).
    """
    values, place = np.unique(p, return_inverse=True)
    n_blocks = resamples.n_blocks
    if len(values) * n_blocks > MAX_CELLS:
        return resamples.apply(lambda weights: _weighted_auc(is_positive, p, weights))
    cell, size = place * n_blocks + resamples.block, len(values) * n_blocks
    positive, negative = (
        np.bincount(cell, weights=own, minlength=size).reshape(len(values), n_blocks)
        for own in (is_positive.astype(np.float64), (~is_positive).astype(np.float64))
    )
    below = np.cumsum(negative, axis=0) - negative / 2  # a tie is half a win
    weights = resamples.weights
    wins = ((weights @ (positive.T @ below)) * weights).sum(axis=1)
    return _share(wins, (weights @ positive.sum(axis=0)) * (weights @ negative.sum(axis=0)))


def _weighted_auc(is_positive: Flags, p: Floats, weights: Probabilities) -> Probabilities:
    """Give the AUC under weights of rows, shape (n, n_rows): shape (n,)."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf) > 0)
    positive = np.add.reduceat((weights * is_positive)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * ~is_positive)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    return _share((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def log_loss(is_positive: Flags, p: Floats) -> float:
    """Average the surprise at what happened, in nats; 0 is best."""
    return float(row_log_loss(is_positive, p).mean())


def ece(is_positive: Flags, p: Probabilities) -> float:
    """Average how far predicted and observed shares lie apart, over 10 bins of equal width: 0..1, 0 is best."""
    return expected_calibration_error(sum_equal_width(is_positive, p))


def resampled_ece(is_positive: Flags, p: Floats, resamples: Resamples) -> Probabilities:
    """Give the expected calibration error of each resample: shape (n_resamples,), 0..1."""
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    in_bin = bins[:, None] == np.arange(N_BINS)[None, :]
    gaps = resamples.total(in_bin * (np.asarray(p, dtype=np.float64) - is_positive)[:, None])
    return _share(np.abs(gaps).sum(axis=1), resamples.total(np.ones(len(p))))


def _share(part: Probabilities, whole: Probabilities) -> Probabilities:
    """Divide, NaN by nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
