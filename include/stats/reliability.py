"""Does what a model says happen? From sums per bin of its probabilities.

What belongs here: the sums of rows, and formulas over sums, so that millions of rows may be summed by an engine. What
does not: which error is too large.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from include.errors import BadCounts
from include.stats.probabilities import LEAST_PROBABILITY, require_probabilities

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

N_BINS = 10
# A quantile of one in a thousand is known to a hundredth from so many draws.
N_DRAWS = 50_000
_CHANCE = 0.999
_SEED = 2_017


@dataclass(frozen=True)
class BinSums:
    """What calibration needs to know of the rows in each bin.

    Attributes:
        n_rows: shape (n_bins,).
        n_positive: shape (n_bins,), those that happened.
        predicted: shape (n_bins,), sum of p, the predicted probability.
        predicted_squared: shape (n_bins,), sum of p².
    """

    n_rows: Floats
    n_positive: Floats
    predicted: Floats
    predicted_squared: Floats

    def merge(self, n_together: int) -> "BinSums":
        """Join neighbouring bins, so many at a time; their number must be a multiple of it."""
        return BinSums(*(part.reshape(-1, n_together).sum(axis=1) for part in self.parts))

    @property
    def parts(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Give the four sums in their order."""
        return self.n_rows, self.n_positive, self.predicted, self.predicted_squared

    @property
    def filled(self) -> "BinSums":
        """Leave out bins without rows."""
        return BinSums(*(part[self.n_rows > 0] for part in self.parts))


@dataclass(frozen=True)
class CalibrationError:
    """How far probabilities are from what happens.

    Attributes:
        value: root of the mean squared distance of predicted and true shares over bins, 0..1; 0 where what was seen is
            no more than chance brings on so few rows.
        high: the true one is below it with 95 % confidence.
        base_rate: share of all rows that happened.
        n_rows: rows it was measured on.
    """

    value: float
    high: float
    base_rate: float
    n_rows: int

    @property
    def relative(self) -> float | None:
        """The error for each row that happens: 0.01 is little where half of all rows happen, and all where 1 % do."""
        return self.value / self.base_rate if self.base_rate > 0 else None


@dataclass(frozen=True)
class CalibrationLine:
    """How the log-odds of what happens follow those predicted: slope 1 and intercept 0 are faultless.

    Attributes:
        slope: below 1 the model is too sure, above 1 not sure enough.
        intercept: below 0 it predicts too much, above 0 too little.
    """

    slope: float
    intercept: float


def sum_equal_width(is_positive: Flags, p: Floats, n_bins: int = N_BINS) -> BinSums:
    """Sum rows by bins of equal width from 0 to 1; 1 belongs to the last.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), 0..1.

    Raises:
        BadProbabilities: a value of `p` is not between 0 and 1.
    """
    require_probabilities(p)
    return _sum(is_positive, p, np.minimum((p * n_bins).astype(np.intp), n_bins - 1), n_bins)


def sum_equal_count(is_positive: Flags, p: Floats, n_bins: int = N_BINS) -> BinSums:
    """Sum rows by bins of as many rows each; equal probabilities are never parted, so that some bins may be empty.

    Where nearly all rows are predicted near 0, bins of equal width put them all into one, and see nothing.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), 0..1.

    Raises:
        BadProbabilities: a value of `p` is not between 0 and 1.
    """
    require_probabilities(p)
    if not len(p):
        return _sum(is_positive, p, np.empty(0, dtype=np.intp), n_bins)
    n_not_above = np.searchsorted(np.sort(p), p, side="right")
    # The bin of its last equal: ceil(rank / n * n_bins) - 1, in whole numbers.
    return _sum(is_positive, p, (n_not_above * n_bins - 1) // len(p), n_bins)


def _sum(is_positive: Flags, p: Floats, place: NDArray[np.intp], n_bins: int) -> BinSums:
    """Sum rows by the number of their bin, in float64."""
    p = np.asarray(p, dtype=np.float64)
    weights = (np.ones(len(p)), np.asarray(is_positive, dtype=np.float64), p, p * p)
    return BinSums(*(np.bincount(place, weights=one, minlength=n_bins).astype(np.float64) for one in weights))


def expected_calibration_error(sums: BinSums) -> float:
    """Say how far predicted and observed shares lie apart, averaged over rows: sum over bins |sum p - positives| / n.

    Returns:
        0..1; 0 is faultless. Few rows make it larger than it is: `error_by_chance` says how large, `calibration_error`
        takes it off.

    Raises:
        BadCounts: there are no rows.

    Source: Naeini, Cooper, Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    _require_rows(sums)
    return float(np.abs(sums.predicted - sums.n_positive).sum() / sums.n_rows.sum())


def error_by_chance(sums: BinSums, probability: float = _CHANCE) -> float:
    """Say which expected calibration error a faultless model stays below with a probability, on rows like these.

    What happens in a bin is drawn from a binomial distribution whose mean, sum p, and variance, sum p - sum p², are
    those of the rows: n' = (sum p)² / sum p² rows of the chance p' = sum p² / sum p. Equal sums give equal answers.

    Args:
        sums: only what was predicted counts.
        probability: 0..1; 0.999 is exceeded once in a thousand.

    Returns:
        0..1.

    Raises:
        BadCounts: there are no rows.

    Source: ours: simulated, because the usual closed forms are exceeded 3 to 14 times in a thousand.
    """
    _require_rows(sums)
    used = sums.predicted > 0
    mean, squared = sums.predicted[used], sums.predicted_squared[used]
    n_trials = np.maximum(np.ceil(mean), np.rint(mean**2 / np.maximum(squared, 1e-300))).astype(np.int64)
    rng = np.random.default_rng(_SEED)
    drawn = rng.binomial(n_trials, mean / n_trials, size=(N_DRAWS, len(mean)))
    errors = np.abs(drawn - mean).sum(axis=1) / sums.n_rows.sum()
    return float(np.quantile(errors, probability, method="higher"))


def calibration_error(sums: BinSums, confidence: float = 0.95) -> CalibrationError:
    """Say how far predicted and true shares lie apart, without what chance adds on few rows.

    With d = predicted - observed share of a bin, w its share of the rows and s² = y (1 - y) / (n - 1) the variance of
    its observed share y, sum w (d² - s²) estimates the squared error without bias. Its own variance is near
    4 u a + 2 sum w² s⁴ for a true squared error u and a = sum w² d² s² / sum w d²; the upper end is the largest u
    that is not contradicted.

    Args:
        sums: of any bins; of as many rows each unless there is a reason.
        confidence: of the upper end, one-sided.

    Raises:
        BadCounts: there are no rows.

    Source: Kumar, Liang and Ma 2019, "Verified uncertainty calibration", section 5 (debiased estimator); the upper end
        is ours, as Wilson's for a share.
    """
    _require_rows(sums)
    n, positive, predicted, squared = sums.filled.parts
    share, observed = n / n.sum(), positive / n
    distance2 = (predicted / n - observed) ** 2
    # A bin of one row knows no spread of its own; what was predicted stands in.
    alone = (predicted - squared) / n
    variance = np.where(n > 1, observed * (1 - observed) / np.maximum(n - 1, 1), alone)
    estimate = float((share * (distance2 - variance)).sum())
    # For the upper end a bin in which nothing happened still varies: two rows as predicted are added to it.
    padded = (positive + 2 * predicted / n) / (n + 2)
    spread = padded * (1 - padded) / n
    z = float(norm.ppf(confidence))
    size = float((share * distance2).sum())
    own = float((share**2 * distance2 * spread).sum()) / size if size > 0 else 0.0
    a = max(own, float((share**2 * spread).sum()))
    c = float(2 * (share**2 * spread**2).sum())
    reach = np.sqrt(max(4 * a * z**2 * (estimate + a * z**2) + c * z**2, 0.0))
    high = max(estimate + 2 * a * z**2 + reach, 0.0)
    return CalibrationError(
        value=float(np.sqrt(max(estimate, 0.0))),
        high=float(min(np.sqrt(high), 1.0)),
        base_rate=float(positive.sum() / n.sum()),
        n_rows=int(n.sum()),
    )


def calibration_line(log_odds: Floats, n_positive: Floats, n_rows: Floats) -> CalibrationLine | None:
    """Fit logit(share that happens) = intercept + slope * logit(p): where the model is wrong, and which way.

    Args:
        log_odds: shape (n,), logit of the predicted probability, of rows or the mean of bins.
        n_positive: shape (n,), how many happened.
        n_rows: shape (n,), above 0.

    Returns:
        the line; None where it has none: one class, one predicted value, or classes that p parts perfectly.

    Source: Cox 1958, "Two further applications of a model for binary regression"; Newton's method.
    """
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    weights = np.array([0.0, 1.0])
    for _ in range(100):
        expected = expit(design @ weights)
        slope = design.T @ (n_positive - n_rows * expected)
        curvature = (design * (n_rows * expected * (1 - expected))[:, None]).T @ design
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, slope)
        weights = weights + np.clip(step, -5.0, 5.0)  # a full step from far away may leave the curve
        if np.abs(step).max() < 1e-10:
            return CalibrationLine(slope=float(weights[1]), intercept=float(weights[0]))
        if np.abs(weights).max() > 1e3:
            return None
    return None


def log_odds_of(p: Floats) -> Floats:
    """Give the log-odds of probabilities, what is nearer to 0 or 1 than one in a million as one in a million."""
    return np.asarray(logit(np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)), dtype=np.float64)


def _require_rows(sums: BinSums) -> None:
    """Refuse sums over nothing.

    Raises:
        BadCounts: no bin has a row.
    """
    if sums.n_rows.sum() <= 0:
        raise BadCounts(f"{len(sums.n_rows)} bins hold 0 rows; a calibration error needs at least 1 labelled row.")
