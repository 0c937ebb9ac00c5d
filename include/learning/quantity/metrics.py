"""How good numbers and their intervals are, and what planning with them earned.

What does not belong here: whether that is good enough (`gate_checks.py`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.learning.evaluation.benchmark import MetricRow
from include.learning.metrics import Estimate, estimate_mean
from include.learning.protocols import Probabilities
from include.learning.quantity.heldout import (
    DUMMY_COLUMN,
    MODEL_COLUMN,
    NAIVE_COLUMN,
    UNMOVED_COLUMN,
    actual_in,
    answers_of,
    other_candidates,
)
from include.learning.quantity.levels import Answers, Costs, Levels, row_pinball
from include.learning.training.estimators import DUMMY
from include.stats.bootstrap import Resamples

NAIVE = "seasonal_naive"


@dataclass(frozen=True)
class Candidate:
    """What one candidate said about the held-out rows, and what planning with it earned.

    Attributes:
        name: as the warehouse shows it.
        answers: of the rows.
        profit: shape (n_rows,), in the problem's unit, at most 0.
    """

    name: str
    answers: Answers
    profit: Probabilities


def make_candidates(heldout: pd.DataFrame, costs: Costs, chosen: str) -> dict[str, Candidate]:
    """Say of every candidate what it would have planned for the held-out rows.

    Args:
        chosen: name of the model whose answers are `p_model`.

    Returns:
        candidates by name: the dummy, the seasonal naive forecast as people use it, the chosen model before and after
        it was moved, and each other one.
    """
    # A seasonal naive forecast that competes is moved as the others are; the baseline is not, nor is the chosen one.
    columns = {DUMMY: DUMMY_COLUMN, NAIVE: NAIVE_COLUMN, f"{chosen}_uncalibrated": UNMOVED_COLUMN}
    columns |= {name: f"p_of_{name}" for name in other_candidates(heldout) if name not in (chosen, NAIVE)}
    columns |= {chosen: MODEL_COLUMN}
    actual = actual_in(heldout)
    found = {}
    for name, column in columns.items():
        answers = answers_of(heldout, column)
        found[name] = Candidate(name, answers, costs.profit(answers.action, actual))
    return found


def measure(actual: Probabilities, candidate: Candidate, levels: Levels, resamples: Resamples) -> list[MetricRow]:
    """Measure one candidate, with 95 % intervals.

    Returns:
        mae, rmse, bias, pinball (mean over both ends) and width in the label's unit, coverage 0..1, and expected_profit
        a row; a row for each.
    """
    said = candidate.answers
    miss = said.predicted - actual
    ends = row_pinball(levels.low, said.low, actual) + row_pinball(levels.high, said.high, actual)
    squared = estimate_mean(miss**2, resamples)
    root = Estimate(*(None if one is None else float(np.sqrt(max(one, 0.0))) for one in vars(squared).values()))  # type: ignore[arg-type]
    found = {
        "mae": estimate_mean(np.abs(miss), resamples),
        "rmse": root,
        "bias": estimate_mean(miss, resamples),
        "pinball": estimate_mean(ends / 2, resamples),
        "coverage": estimate_mean(said.is_held(actual).astype(np.float64), resamples),
        "width": estimate_mean(said.high - said.low, resamples),
        "expected_profit": estimate_mean(candidate.profit, resamples),
    }
    return [
        {
            "candidate": candidate.name,
            "metric": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n_rows": len(actual),
        }
        for name, one in found.items()
    ]
