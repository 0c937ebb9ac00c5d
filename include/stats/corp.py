"""What happens where a model says so much, without bins: the curve that only rises and fits best (CORP).

What belongs here: the curve, its band and the three parts of a score, from counts of rows that were predicted alike.
What does not: bins and the errors over them (`reliability.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import entr

from include.errors import BadCounts

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

BAND_LEVEL = 0.9
# An end of the band is a quantile of one in twenty: 15 draws lie beyond it.
N_DRAWS = 300


@dataclass(frozen=True)
class ScoredCells:
    """Rows that were predicted alike, counted together.

    Attributes:
        p: shape (n_cells,), predicted probability of each, ascending, 0..1; the mean where nearby ones share a cell.
        n_rows: shape (n_cells,), above 0.
        n_positive: shape (n_cells,), those that happened.
    """

    p: Floats
    n_rows: Floats
    n_positive: Floats


@dataclass(frozen=True)
class ScoreParts:
    """A mean score in three parts: miscalibration - discrimination + uncertainty, in the unit of the score.

    Attributes:
        miscalibration: what the best rising recalibration would take off; 0 is faultless.
        discrimination: what that recalibration is better than saying the same share of every row; 0 tells nothing.
        uncertainty: score of the one share that happened, said of every row.
    """

    miscalibration: float
    discrimination: float
    uncertainty: float

    @property
    def score(self) -> float:
        """Add the parts up again."""
        return self.miscalibration - self.discrimination + self.uncertainty


@dataclass(frozen=True)
class CalibrationCurve:
    """The recalibrated share at some of the predicted probabilities.

    Attributes:
        p: shape (n_points,), predicted, ascending, 0..1.
        recalibrated: shape (n_points,), share that happens there, never falling, 0..1.
        low: shape (n_points,), lower end of where the curve of a faultless model lies at this point, 0..1.
        high: shape (n_points,), upper end.
        n_rows: shape (n_points,), rows at the point, or between it and the one before.
        n_positive: shape (n_points,), those of them that happened.
    """

    p: Floats
    recalibrated: Floats
    low: Floats
    high: Floats
    n_rows: Floats
    n_positive: Floats


def recalibrate(cells: ScoredCells) -> Floats:
    """Give the shares that rise with the prediction and fit best what happened: pool adjacent violators.

    Returns:
        shape (n_cells,), 0..1; each is the share of the cells that were pooled.

    Raises:
        BadCounts: there are no rows, or more positives than rows in a cell.

    Source: Ayer et al. 1955; for calibration Dimitriadis, Gneiting and Jordan 2021, "Stable reliability diagrams for
        probabilistic classifiers".
    """
    starts = _pool(cells)
    share = np.add.reduceat(cells.n_positive, starts) / np.add.reduceat(cells.n_rows, starts)
    return np.asarray(np.repeat(share, np.diff([*starts, len(cells.p)])), dtype=np.float64)


def split_brier(cells: ScoredCells, score: float) -> ScoreParts:
    """Split a Brier score.

    Args:
        score: mean squared error of the probabilities; that of single rows where a cell holds several predictions.

    Raises:
        BadCounts: there are no rows, or more positives than rows in a cell.

    Source: Dimitriadis, Gneiting and Jordan 2021, equation 4.
    """
    share = recalibrate(cells)
    return _split(cells, score, share * (1 - share), lambda base: base * (1 - base))


def split_log_loss(cells: ScoredCells, score: float) -> ScoreParts:
    """Split a log loss, in nats.

    Args:
        score: mean of -ln of the probability of what happened; finite.

    Raises:
        BadCounts: there are no rows, or more positives than rows in a cell.

    Source: Dimitriadis, Gneiting and Jordan 2021, equation 4.
    """
    share = recalibrate(cells)
    return _split(cells, score, entr(share) + entr(1 - share), lambda base: float(entr(base) + entr(1 - base)))


def draw_curve(cells: ScoredCells, seed: int, level: float = BAND_LEVEL, n_draws: int = N_DRAWS) -> CalibrationCurve:
    """Give the curve at the ends of its level pieces and at the tenths of the rows, with its consistency band.

    The band says where the curve would lie if the model were faultless: what happens in each cell is drawn from its own
    prediction and recalibrated, again and again. At each point the curve of a faultless model leaves it on either side
    with half of what `level` leaves over. Equal cells and seeds give equal answers.

    Args:
        seed: of the draws.
        level: share of faultless curves that are inside the band at a point, 0..1.
        n_draws: at least 2.

    Raises:
        BadCounts: there are no rows, or more positives than rows in a cell.

    Source: Dimitriadis, Gneiting and Jordan 2021, "consistency bands" by resampling.
    """
    share, at = recalibrate(cells), _places(cells)
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(cells.n_rows.astype(np.int64), cells.p, size=(n_draws, len(cells.p))) / cells.n_rows
    curves = np.stack([isotonic_regression(one, weights=cells.n_rows).x[at] for one in drawn])
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    through = np.stack([np.cumsum(cells.n_rows)[at], np.cumsum(cells.n_positive)[at]])
    n_rows, n_positive = np.diff(through, axis=1, prepend=0.0)
    return CalibrationCurve(cells.p[at], share[at], np.clip(low, 0, 1), np.clip(high, 0, 1), n_rows, n_positive)


def _pool(cells: ScoredCells) -> Places:
    """Name the first cell of each level piece of the curve.

    Raises:
        BadCounts: there are no rows, or more positives than rows in a cell.
    """
    is_bad = ~((cells.n_rows > 0) & (cells.n_positive >= 0) & (cells.n_positive <= cells.n_rows))
    if is_bad.any() or not len(cells.p):
        raise BadCounts(
            f"{int(is_bad.sum()):,} of {len(cells.p):,} cells are no counts; a curve needs at least 1 cell, each with "
            "more than 0 rows and from 0 to as many positives."
        )
    fitted = isotonic_regression(cells.n_positive / cells.n_rows, weights=cells.n_rows)
    return np.asarray(fitted.blocks[:-1], dtype=np.intp)


def _places(cells: ScoredCells) -> Places:
    """Name the cells at which the curve is kept: both ends of each level piece, and each tenth of the rows."""
    starts = _pool(cells)
    ends = np.append(starts[1:], len(cells.p)) - 1
    tenths = np.searchsorted(np.cumsum(cells.n_rows), cells.n_rows.sum() * np.arange(1, 10) / 10)
    return np.unique(np.concatenate([starts, ends, tenths]))


def _split(cells: ScoredCells, score: float, row_scores: Floats, of_base: Callable[[float], float]) -> ScoreParts:
    """Split a score by those of the recalibrated shares and of the base rate."""
    n_rows = cells.n_rows.sum()
    resolved = float((cells.n_rows * row_scores).sum() / n_rows)
    uncertainty = of_base(float(cells.n_positive.sum() / n_rows))
    return ScoreParts(_positive(score - resolved), _positive(uncertainty - resolved), uncertainty)


def _positive(part: float) -> float:
    """Take what rounding has put below 0 for 0."""
    return 0.0 if -1e-12 < part < 0 else part
