"""Whether a log can say anything about a policy.

What belongs here: how much of the log speaks about it. What does not: what it says (`estimators.py`).
"""

from dataclasses import dataclass

import numpy as np

from include.experiments.evaluation.cells import Cells, require_cells


@dataclass(frozen=True)
class Overlap:
    """How much of a log speaks about a policy.

    Attributes:
        n_units: units of the log.
        n_effective: how many plainly drawn units know as much: (sum w)² / sum w² (Kish), 0..n_units.
        largest_weight: of any unit, at least 0; few such units may decide everything.
        mean_weight: 1 where propensities are true, but for chance; far from it they are not.
        low_mean_weight, high_mean_weight: its 95 % interval, which holds 1 where propensities are true.
    """

    n_units: int
    n_effective: float
    largest_weight: float
    mean_weight: float
    low_mean_weight: float
    high_mean_weight: float


def measure_overlap(cells: Cells) -> Overlap:
    """Say how much of a log speaks about a policy.

    Args:
        cells: of the log.

    Raises:
        BadExperiment: see `require_cells`.

    Source: Kish 1965, section 11.2C; the mean weight as a test of propensities, Li, Chen, Kleban and Gupta 2015.
    """
    require_cells(cells)
    weight, n = cells.weight, cells.n_units
    total, squares = float((weight * cells.n).sum()), float((weight**2 * cells.n).sum())
    mean = total / n
    reach = 1.959963984540054 * float(np.sqrt(max(squares / n - mean**2, 0.0) / (n - 1)))
    return Overlap(
        n_units=round(n),
        n_effective=total**2 / squares if squares > 0 else 0.0,
        largest_weight=float(weight[cells.n > 0].max()),
        mean_weight=mean,
        low_mean_weight=mean - reach,
        high_mean_weight=mean + reach,
    )
