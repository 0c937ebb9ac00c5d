"""Does what the model says happen? The figures of a partition and model, from sums.

What belongs here: which figures of `include.stats.reliability` are kept, and those that need sums of their own. What
does not: rows, which stay on the engine (`aggregates.py`).
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from include.stats import calibration_measures, corp, reliability
from include.stats.corp import ScoredCells
from include.stats.reliability import BinSums
from include.stats.wilson import wilson_interval

Array = NDArray[np.float64]

N_BINS = 10
# Ten of these bins are one of equal count; the line through log-odds is as good as through single rows.
N_FINE_BINS = 100
# So many different scores are told apart; of more, neighbours share a cell of as many rows each.
MAX_CELLS = 2_000


@dataclass(frozen=True)
class ScoreSums:
    """What calibration needs to know of the labelled rows of one partition and model.

    Attributes:
        by_width: over `N_BINS` bins of equal width from 0 to 1.
        by_count: over `N_FINE_BINS` bins of as many rows each.
        log_odds: shape (N_FINE_BINS,), sum of ln(p / (1 - p)) over the rows of each.
        predicted_positive: sum of p over the rows that happened.
        score_variance: sum of (1 - 2 p)² p (1 - p): variance of the summed squared errors if the model is faultless.
        log_likelihood: sum of ln p over those that happened and ln(1 - p) over the others, in nats.
        n_pairs_won: pairs of one row that happened and one that did not in which the first has the higher p; ties count
            a half.
        cells: rows of each prediction, or of neighbours where there are more than `MAX_CELLS`.
    """

    by_width: BinSums
    by_count: BinSums
    log_odds: Array
    predicted_positive: float
    score_variance: float
    log_likelihood: float
    n_pairs_won: float
    cells: ScoredCells


NOTHING = ScoreSums(
    by_width=BinSums(*np.zeros((4, N_BINS))),
    by_count=BinSums(*np.zeros((4, N_FINE_BINS))),
    log_odds=np.zeros(N_FINE_BINS),
    predicted_positive=0.0,
    score_variance=0.0,
    log_likelihood=0.0,
    n_pairs_won=0.0,
    cells=ScoredCells(*np.zeros((3, 0))),
)


def reliability_bins(sums: BinSums) -> list[dict[str, float]]:
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


def curve_points(sums: ScoreSums, name: str) -> list[dict[str, float]]:
    """Describe the calibration curve, the lowest prediction first, in the columns of `core.calibration_curve`.

    Args:
        name: of what was measured; the draws of the band begin with it, so that measuring again gives the same band.

    Returns:
        one for each point; none without a label.
    """
    if not len(sums.cells.p):
        return []
    curve = corp.draw_curve(sums.cells, int.from_bytes(sha256(name.encode()).digest()[:8], "big"))
    return [
        {
            "point_index": place,
            "predicted_ratio": float(curve.p[place]),
            "recalibrated_ratio": float(curve.recalibrated[place]),
            "band_low": float(curve.low[place]),
            "band_high": float(curve.high[place]),
            "n_rows": int(curve.n_rows[place]),
            "n_positive": int(curve.n_positive[place]),
        }
        for place in range(len(curve.p))
    ]


def brier_score(sums: ScoreSums) -> float:
    """Mean squared error of the probability: sum (p - y)² / n = (sum p² - 2 sum p y + sum y) / n, because y² is y.

    Source: Brier 1950, in the form for two classes, 0..1.
    """
    n, positive, _, squared = (float(part.sum()) for part in sums.by_width.parts)
    return max(0.0, (squared - 2 * sums.predicted_positive + positive) / n)


def area_under_curve(sums: ScoreSums) -> float | None:
    """Say how often a row that happened has a higher probability than one that did not; exact, ties count a half.

    Returns:
        0..1, 0.5 is no better than chance; None when all labelled rows are of one class.

    Source: Mann, Whitney 1947; as area under the ROC curve, Hanley, McNeil 1982.
    """
    n_rows, n_positive = float(sums.by_width.n_rows.sum()), float(sums.by_width.n_positive.sum())
    n_pairs = n_positive * (n_rows - n_positive)
    return sums.n_pairs_won / n_pairs if n_pairs else None


def summarise(sums: ScoreSums) -> dict[str, float | None]:
    """Give all figures of a partition in the columns of `core.calibration_summary`; None where there is no label.

    Bins of equal width are what people see in the diagram, and see nothing where all probabilities are small; whether
    the model is off is said by bins of equal count, with what chance adds taken off.
    """
    n_labelled, n_positive = float(sums.by_width.n_rows.sum()), float(sums.by_width.n_positive.sum())
    counts: dict[str, float | None] = {"n_labelled": int(n_labelled), "n_positive": int(n_positive)}
    if n_labelled == 0:
        return counts | dict.fromkeys(FIGURES)
    deciles = sums.by_count.merge(N_FINE_BINS // N_BINS)
    error = reliability.calibration_error(deciles)
    fine = sums.by_count.n_rows > 0
    n_fine = sums.by_count.n_rows[fine]
    brier, log_loss = brier_score(sums), -sums.log_likelihood / n_labelled
    parts, in_nats = corp.split_brier(sums.cells, brier), corp.split_log_loss(sums.cells, log_loss)
    line = reliability.calibration_line(sums.log_odds[fine] / n_fine, sums.by_count.n_positive[fine], n_fine)
    figures = (
        n_positive / n_labelled,
        float(sums.by_width.predicted.sum() / n_labelled),
        reliability.expected_calibration_error(sums.by_width),
        reliability.error_by_chance(sums.by_width),
        reliability.expected_calibration_error(deciles),
        reliability.error_by_chance(deciles),
        error.value,
        error.high,
        error.relative,
        line.slope if line else None,
        line.intercept if line else None,
        brier,
        log_loss,
        area_under_curve(sums),
        parts.miscalibration,
        parts.discrimination,
        parts.uncertainty,
        in_nats.miscalibration,
        in_nats.discrimination,
        in_nats.uncertainty,
        *_beside_the_error(sums, deciles),
    )
    return counts | dict(zip(FIGURES, figures, strict=True))


def _beside_the_error(sums: ScoreSums, deciles: BinSums) -> tuple[float | None, ...]:
    """Give the measures beside the calibration error, in the order of the last of `FIGURES`."""
    n_positive, predicted, squared = (float(part.sum()) for part in sums.by_width.parts[1:])
    excess = n_positive - predicted - 2 * sums.predicted_positive + 2 * squared
    test = calibration_measures.spiegelhalter_test(excess, sums.score_variance)
    return (
        calibration_measures.smooth_calibration_error(sums.cells),
        calibration_measures.debiased_calibration_error(deciles),
        calibration_measures.maximum_calibration_error(deciles),
        test.z if test else None,
        test.p_value if test else None,
    )


FIGURES = (
    "positive_ratio",
    "mean_predicted_ratio",
    "ece_ratio",
    "ece_chance_ratio",
    "ece_equal_count_ratio",
    "ece_equal_count_chance_ratio",
    "error_ratio",
    "error_high_ratio",
    "relative_error_ratio",
    "calibration_slope",
    "calibration_intercept",
    "brier_score",
    "log_loss_nats",
    "auc_ratio",
    "miscalibration_brier",
    "discrimination_brier",
    "uncertainty_brier",
    "miscalibration_nats",
    "discrimination_nats",
    "uncertainty_nats",
    "smooth_ece_ratio",
    "ece_debiased_ratio",
    "mce_ratio",
    "spiegelhalter_z",
    "spiegelhalter_p_value",
)
