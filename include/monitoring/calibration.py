"""Does what the model says happen? Reliability, from sums per bin.

What belongs here: formulas over sums. What does not: rows, which stay on the engine (`profile.py`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

N_BINS = 10
Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
Z_999 = 3.090232306167813  # its 99.9 % point


@dataclass(frozen=True)
class BinSums:
    """What calibration needs to know of the labelled rows in each bin, bins of equal width from 0 to 1.

    Attributes:
        n_rows: shape (n_bins,), labelled rows.
        n_positive: shape (n_bins,), those that happened.
        predicted: shape (n_bins,), sum of p, the predicted probability.
        predicted_squared: shape (n_bins,), sum of p².
        predicted_positive: shape (n_bins,), sum of p over the rows that happened.
        log_likelihood: shape (n_bins,), sum of ln p over those that happened and ln(1 - p) over the others, in nats.
        n_pairs_won: pairs of one row that happened and one that did not in which the first has the higher p; ties count
            a half.
    """

    n_rows: Array
    n_positive: Array
    predicted: Array
    predicted_squared: Array
    predicted_positive: Array
    log_likelihood: Array
    n_pairs_won: float


def wilson_interval(n_positive: Array, n_rows: Array, z: float = Z_95) -> tuple[Array, Array]:
    """Say between which shares the truth lies, given how often it was seen.

    Args:
        n_positive: shape (n,), how often it happened.
        n_rows: shape (n,), how often it could have; all above 0.
        z: normal quantile of the interval's confidence; 1.96 is 95 %.

    Returns:
        lower and upper ends, shape (n,), 0..1. Never empty, also where nothing or everything happened.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    share = n_positive / n_rows
    z2 = z * z / n_rows
    centre = share + z2 / 2
    reach = np.sqrt(z2 * (share * (1 - share) + z2 / 4))
    # Rounding may leave the ends outside by one part in 1e16.
    return np.clip((centre - reach) / (1 + z2), 0, 1), np.clip((centre + reach) / (1 + z2), 0, 1)


def reliability_bins(sums: BinSums) -> list[dict[str, Any]]:
    """Describe every bin that has labelled rows, lowest first, in the columns of `core.calibration_bin`."""
    width = 1 / len(sums.n_rows)
    filled = np.flatnonzero(sums.n_rows)
    low, high = wilson_interval(sums.n_positive[filled], sums.n_rows[filled])
    return [
        {
            "bin_index": int(index),
            "bin_low": float(index * width),
            "bin_high": float((index + 1) * width),
            "n_rows": int(sums.n_rows[index]),
            "n_positive": int(sums.n_positive[index]),
            "mean_predicted_ratio": float(sums.predicted[index] / sums.n_rows[index]),
            "observed_ratio": float(sums.n_positive[index] / sums.n_rows[index]),
            "low": float(low[place]),
            "high": float(high[place]),
        }
        for place, index in enumerate(filled)
    ]


def expected_calibration_error(sums: BinSums) -> float:
    """Say how far predicted and observed shares lie apart, averaged over rows: sum over bins |sum p - positives| / n.

    Returns:
        0..1; 0 is faultless. Few rows make it larger than it is; `error_by_chance` says how much.

    Source: Naeini, Cooper, Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    return float(np.abs(sums.predicted - sums.n_positive).sum() / sums.n_rows.sum())


def error_by_chance(sums: BinSums, z: float = Z_999) -> float:
    """Say which calibration error a faultless model would exceed about once in a thousand partitions of this size.

    If every p were right, `positives - sum p` of a bin would have variance sum p (1 - p) = sum p - sum p², so its
    absolute value would be near half-normal: mean sqrt(2 v / pi), variance v (1 - 2 / pi). The bins are independent.

    Source: ours, from the moments of the half-normal distribution.
    """
    variance = np.maximum(sums.predicted - sums.predicted_squared, 0)
    mean = np.sqrt(2 * variance / np.pi).sum()
    deviation = np.sqrt((variance * (1 - 2 / np.pi)).sum())
    return float(min(1.0, (mean + z * deviation) / sums.n_rows.sum()))


def brier_score(sums: BinSums) -> float:
    """Mean squared error of the probability: sum (p - y)² / n = (sum p² - 2 sum p y + sum y) / n, because y² is y.

    Source: Brier 1950, in the form for two classes, 0..1.
    """
    total = sums.predicted_squared.sum() - 2 * sums.predicted_positive.sum() + sums.n_positive.sum()
    return float(max(0.0, total / sums.n_rows.sum()))


def log_loss(sums: BinSums) -> float:
    """Mean negative log likelihood, in nats; 0 is faultless, ln 2 is what saying 0.5 costs."""
    return float(-sums.log_likelihood.sum() / sums.n_rows.sum())


def area_under_curve(sums: BinSums) -> float | None:
    """Say how often a row that happened has a higher probability than one that did not; exact, ties count a half.

    Returns:
        0..1, 0.5 is no better than chance; None when all labelled rows are of one class.

    Source: Mann, Whitney 1947; as area under the ROC curve, Hanley, McNeil 1982.
    """
    n_positive = float(sums.n_positive.sum())
    n_pairs = n_positive * (float(sums.n_rows.sum()) - n_positive)
    return sums.n_pairs_won / n_pairs if n_pairs else None


def summarise(sums: BinSums) -> dict[str, Any]:
    """Give all figures of a partition in the columns of `core.calibration_summary`; None where there is no label."""
    n_labelled, n_positive = int(sums.n_rows.sum()), int(sums.n_positive.sum())
    counts = {"n_labelled": n_labelled, "n_positive": n_positive}
    if n_labelled == 0:
        return counts | dict.fromkeys(FIGURES)
    figures = (
        n_positive / n_labelled,
        float(sums.predicted.sum() / n_labelled),
        expected_calibration_error(sums),
        error_by_chance(sums),
        brier_score(sums),
        log_loss(sums),
        area_under_curve(sums),
    )
    return counts | dict(zip(FIGURES, figures, strict=True))


FIGURES = (
    "positive_ratio",
    "mean_predicted_ratio",
    "ece_ratio",
    "ece_chance_ratio",
    "brier_score",
    "log_loss_nats",
    "auc_ratio",
)
