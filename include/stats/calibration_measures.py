"""Further answers to the question whether what a model says happens, each one number.

What belongs here: measures beside the expected calibration error. What does not: sums and bins (`reliability.py`), the
curve (`corp.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.optimize import brentq
from scipy.stats import foldnorm, norm

from include.errors import BadCounts
from include.stats.corp import ScoredCells
from include.stats.reliability import BinSums, expected_calibration_error

Floats = NDArray[np.float64]

# A smooth error below it is given as this; the waves that are kept are those that so narrow a kernel still needs.
LEAST_WIDTH = 0.001
_N_WAVES = 2_400
_N_PLACES = 4_096


@dataclass(frozen=True)
class SpiegelhalterTest:
    """Whether a faultless model may have a Brier score like this.

    Attributes:
        z: how many standard deviations it is above what the probabilities promise; below 0 it is better than promised.
        p_value: chance of one at least as far away, on either side, 0..1.
    """

    z: float
    p_value: float


def smooth_calibration_error(cells: ScoredCells) -> float:
    """Say how far predicted and true shares lie apart, without bins: smoothed by a kernel as wide as the error itself.

    The mean of observed less predicted is smoothed over the predictions by a Gaussian kernel that is reflected at 0 and
    1; its absolute value is averaged. The width is the one that equals the error it finds, so that nothing is chosen.

    Args:
        cells: of at least 1 row.

    Returns:
        0.001..1; one that is smaller is given as 0.001. It is exact to 1e-6 where each cell holds one prediction.

    Raises:
        BadCounts: there are no rows.

    Source: Błasiok and Nakkiran 2023, "Smooth ECE: principled reliability diagrams via kernel smoothing". The reflected
        kernel is summed as waves here, which is the same sum.
    """
    n_rows = cells.n_rows.sum()
    if n_rows <= 0:
        raise BadCounts("0 cells hold 0 rows; a smooth calibration error needs at least 1 labelled row.")
    excess = (cells.n_positive - cells.n_rows * cells.p) / n_rows
    waves = np.arange(_N_WAVES)
    heights = np.cos(np.pi * np.outer(waves, cells.p)) @ excess

    def error_less_width(width: float) -> float:
        damped = np.zeros(_N_PLACES)
        damped[:_N_WAVES] = heights * np.exp(-((np.pi * waves * width) ** 2) / 2)
        return float(np.abs(dct(damped, type=3)).mean()) - width

    if error_less_width(LEAST_WIDTH) <= 0:
        return LEAST_WIDTH
    return min(1.0, float(brentq(error_less_width, LEAST_WIDTH, 1.0 + LEAST_WIDTH, xtol=1e-10)))


def debiased_calibration_error(sums: BinSums) -> float:
    """Take off the expected calibration error what chance adds: as much as drawing each bin's share anew adds to it.

    A share drawn anew is normal around the observed one with variance y (1 - y) / n, so that its mean distance from the
    prediction is known and nothing is drawn.

    Returns:
        0..1; 0 where chance adds as much as there is.

    Raises:
        BadCounts: there are no rows.

    Source: Kumar, Liang and Ma 2019, "Verified uncertainty calibration"; Bröcker 2012. The closed form is ours.
    """
    plain = expected_calibration_error(sums)
    n, positive, predicted, _ = sums.filled.parts
    observed = positive / n
    distance, spread = np.abs(predicted / n - observed), np.sqrt(observed * (1 - observed) / n)
    drawn = distance.copy()
    known = spread > 0
    drawn[known] = foldnorm.mean(distance[known] / spread[known], scale=spread[known])
    return max(0.0, 2 * plain - float((n * drawn).sum() / n.sum()))


def maximum_calibration_error(sums: BinSums) -> float:
    """Say how far predicted and observed shares lie apart in the worst bin.

    Args:
        sums: of bins of as many rows each; elsewhere the worst bin is the one with fewest rows.

    Returns:
        0..1; 0 is faultless. Chance makes it larger than it is.

    Raises:
        BadCounts: there are no rows.

    Source: Naeini, Cooper, Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    n, positive, predicted, _ = sums.filled.parts
    if not len(n):
        raise BadCounts(f"{len(sums.n_rows)} bins hold 0 rows; a calibration error needs at least 1 labelled row.")
    return float((np.abs(predicted - positive) / n).max())


def spiegelhalter_test(brier_excess: float, variance: float) -> SpiegelhalterTest | None:
    """Hold a Brier score against the one that the probabilities promise.

    Args:
        brier_excess: sum over rows of (y - p) (1 - 2 p): squared errors less those promised.
        variance: sum over rows of (1 - 2 p)² p (1 - p), what it has if the model is faultless.

    Returns:
        the test; None where the variance is 0, because every probability is 0, a half or 1.

    Source: Spiegelhalter 1986, "Probabilistic prediction in patient management and clinical trials".
    """
    if variance <= 0:
        return None
    z = brier_excess / variance**0.5
    return SpiegelhalterTest(float(z), float(2 * norm.sf(abs(z))))
