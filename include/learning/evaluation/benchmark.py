"""Measures all candidates on the same held-out rows.

What belongs here: held-out answers in, rows of metrics out. What does not: the verdict (`evaluation/gate_checks.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from include.learning import metrics
from include.learning.data.columns import BLOCK, IS_POSITIVE, IS_RULE, P_OF
from include.learning.protocols import Flags, Probabilities
from include.learning.training.estimators import DUMMY
from include.problems.decision_policy import Policy, profit_of_actions, profit_of_policy
from include.problems.schema import Problem
from include.problems.sections.learning import Value
from include.stats.bootstrap import Resamples, draw_blocks

CHAMPION = "champion"


class MetricRow(TypedDict):
    """A row of `core.model_metric` without its keys."""

    candidate: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n_rows: int


class CurveRow(TypedDict):
    """A row of `core.learning_curve` without its keys."""

    arm: str
    metric: str
    n_labels: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Candidate:
    """What one candidate said about the held-out rows, and what acting on it earned.

    Attributes:
        name: as the warehouse shows it.
        p: shape (n_rows,), 0..1.
        profit: shape (n_rows,), in the problem's unit.
    """

    name: str
    p: Probabilities
    profit: Probabilities


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


def resample_heldout(heldout: pd.DataFrame, rng: np.random.Generator) -> Resamples:
    """Draw the resamples that all candidates share, whole blocks at a time.

    A block is a day of the log: its rows share the weather and each other's troubles. Of labels from people it is an
    item together with those that are nearly the same text or belong to one entity, because items were chosen one by
    one. That the five out-of-fold models share most of their rows is not in these intervals.
    """
    return draw_blocks(heldout[BLOCK].to_numpy(dtype=np.int64), rng)


def measure_candidate(candidate: Candidate, is_positive: Flags, resamples: Resamples) -> list[MetricRow]:
    """Measure one candidate, with 95 % intervals.

    Returns:
        one row for each metric; a metric without an answer (AUC of one class) has none.
    """
    found = metrics.measure(is_positive, candidate.p, candidate.profit, resamples)
    return [
        {
            "candidate": candidate.name,
            "metric": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n_rows": len(is_positive),
        }
        for name, one in found.items()
    ]


def learning_curve(
    heldout: Mapping[str, pd.DataFrame], n_labels: Mapping[str, int], rng: np.random.Generator
) -> list[CurveRow]:
    """Compare what the labels of each arm taught, on the same rows chosen by chance.

    Args:
        heldout: arm to its held-out answers, the same rows in the same order.
        n_labels: arm to the labels that taught it.

    Returns:
        rows of arm, metric, n_labels, value, low, high.
    """
    rows: list[CurveRow] = []
    resamples = resample_heldout(next(iter(heldout.values())), rng)
    for arm, answers in heldout.items():
        p = answers["p_model"].to_numpy(dtype=np.float64)
        is_positive = answers[IS_POSITIVE].to_numpy(dtype=np.bool_)
        for name, one in metrics.measure(is_positive, p, p, resamples).items():
            if name in ("auc", "log_loss", "brier"):
                row = CurveRow(
                    arm=arm, n_labels=n_labels[arm], metric=name, value=one.value, low=one.low, high=one.high
                )
                rows.append(row)
    return rows
