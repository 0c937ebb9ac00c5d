"""Measures all candidates on the same held-out rows.

What belongs here: held-out answers in, rows of metrics out. What does not: the verdict (`gating.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning import metrics
from include.learning.columns import BLOCK, IS_POSITIVE, IS_RULE, P_OF
from include.learning.models import DUMMY
from include.learning.thresholds import Policy, profit_of_actions, profit_of_policy
from include.problems.schema import Problem
from include.problems.sections.learning import Value

N_RESAMPLES = 200
CHAMPION = "champion"


@dataclass(frozen=True)
class Candidate:
    """What one candidate said about the held-out rows, and what acting on it earned.

    Attributes:
        name: as the warehouse shows it.
        p: shape (n_rows,), 0..1.
        profit: shape (n_rows,), in the problem's unit.
    """

    name: str
    p: NDArray[np.float64]
    profit: NDArray[np.float64]


def make_candidates(
    heldout: pd.DataFrame, problem: Problem, value: Value, policy: Policy, chosen: str
) -> dict[str, Candidate]:
    """Say of every candidate what it would have done on the held-out rows.

    The dummy and the models follow the policy; the rule acts as people used it, whenever it is true.

    Args:
        chosen: name of the model whose answers are `p_model`.

    Returns:
        candidates by name: dummy, the rule (where the problem has one), the chosen model before and after calibration,
        and each other model.
    """
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)

    def follow(name: str, column: str) -> Candidate:
        p = heldout[column].to_numpy(dtype=np.float64)
        return Candidate(name, p, profit_of_policy(p, is_positive, value, policy))

    found = [follow(DUMMY, "p_dummy")]
    if problem.baseline:
        p, is_rule = heldout["p_rule"].to_numpy(dtype=np.float64), heldout[IS_RULE].to_numpy(dtype=np.bool_)
        found.append(Candidate(problem.baseline.name, p, profit_of_actions(is_rule, is_positive, value)))
    found += [follow(f"{chosen}_uncalibrated", "p_uncalibrated"), follow(chosen, "p_model")]
    others = [name.removeprefix(P_OF) for name in map(str, heldout.columns) if name.startswith(P_OF)]
    found += [follow(name, f"{P_OF}{name}") for name in others if name != chosen]
    return {candidate.name: candidate for candidate in found}


def baselines_of(problem: Problem) -> list[str]:
    """Name the candidates that the model must beat: the dummy, and the rule where the problem has one."""
    return [DUMMY, problem.baseline.name] if problem.baseline else [DUMMY]


def bootstrap_weights(heldout: pd.DataFrame, rng: np.random.Generator) -> NDArray[Any]:
    """Draw the resamples that all candidates share; by day where the rows have days."""
    blocks = heldout[BLOCK].to_numpy(dtype=np.int64)
    codes = np.unique(blocks, return_inverse=True)[1]
    return metrics.draw_weights(len(heldout), N_RESAMPLES, rng, codes)


def measure_candidate(
    candidate: Candidate, is_positive: NDArray[np.bool_], weights: NDArray[Any]
) -> list[dict[str, Any]]:
    """Measure one candidate, with 95 % intervals.

    Returns:
        rows of candidate, metric, value, low, high, n_rows; a metric without an answer (AUC of one class) has no row.
    """
    plain = metrics.measure(is_positive, candidate.p, candidate.profit, metrics.ones(len(is_positive)))
    resampled = metrics.measure(is_positive, candidate.p, candidate.profit, weights)
    rows = []
    for name, values in plain.items():
        if np.isnan(values[0]):
            continue
        low, high = metrics.interval(resampled[name])
        rows.append(
            {
                "candidate": candidate.name,
                "metric": name,
                "value": float(values[0]),
                "low": low,
                "high": high,
                "n_rows": len(is_positive),
            }
        )
    return rows


def learning_curve(
    heldout: Mapping[str, pd.DataFrame], n_labels: Mapping[str, int], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Compare what the labels of each arm taught, on the same rows chosen by chance.

    Args:
        heldout: arm to its held-out answers, the same rows in the same order.
        n_labels: arm to the labels that taught it.

    Returns:
        rows of arm, metric, n_labels, value, low, high.
    """
    rows = []
    weights = bootstrap_weights(next(iter(heldout.values())), rng)
    for arm, answers in heldout.items():
        p = answers["p_model"].to_numpy(dtype=np.float64)
        is_positive = answers[IS_POSITIVE].to_numpy(dtype=np.bool_)
        for row in measure_candidate(Candidate(arm, p, p), is_positive, weights):
            if row["metric"] in ("auc", "log_loss", "brier"):
                kept = {name: row[name] for name in ("metric", "value", "low", "high")}
                rows.append({"arm": arm, "n_labels": n_labels[arm], **kept})
    return rows
