"""How good probabilities of several classes or labels are: over all classes, of each class, and which are mixed up.

What does not belong here: two sides (`include/learning/metrics.py`), and whether a number is good enough (`gate.py`).
"""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning import metrics
from include.learning.data.columns import P_OF
from include.learning.evaluation.benchmark import MetricRow
from include.learning.metrics import Estimate
from include.learning.protocols import Probabilities
from include.learning.several.decisions import Decisions, profit_of
from include.learning.several.heldout import (
    DUMMY_COLUMN,
    MODEL_COLUMN,
    UNCALIBRATED_COLUMN,
    other_candidates,
    table_of,
)
from include.learning.several.targets import Targets, require_table, row_squared_error, row_surprise
from include.learning.training.estimators import DUMMY
from include.stats.bootstrap import Resamples
from include.stats.probabilities import row_log_loss
from include.stats.wilson import wilson_interval


class ClassMetricRow(TypedDict):
    """A row of `core.class_metric` without its keys."""

    candidate: str
    class_name: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n_rows: int


class ConfusionRow(TypedDict):
    """A row of `core.confusion` without its keys."""

    true_class: str
    said_class: str
    n_rows: int
    share_ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Candidate:
    """What one candidate said about the held-out rows, and what acting on it earned.

    Attributes:
        name: as the warehouse shows it.
        p: shape (n_rows, n_classes), 0..1.
        profit: shape (n_rows,), in the problem's unit.
    """

    name: str
    p: Probabilities
    profit: Probabilities


def make_candidates(heldout: pd.DataFrame, targets: Targets, decisions: Decisions, chosen: str) -> dict[str, Candidate]:
    """Say of every candidate what it would have done on the held-out rows.

    Args:
        chosen: name of the model whose answers are `p_model`.

    Returns:
        candidates by name: dummy, the chosen model before and after calibration, and each other one.
    """
    columns = {DUMMY: DUMMY_COLUMN, f"{chosen}_uncalibrated": UNCALIBRATED_COLUMN, chosen: MODEL_COLUMN}
    columns |= {name: f"{P_OF}{name}" for name in other_candidates(heldout) if name != chosen}
    found = {}
    for name, column in columns.items():
        p = table_of(heldout, column, targets.classes)
        found[name] = Candidate(name, p, profit_of(p, targets, decisions))
    return found


def measure(targets: Targets, candidate: Candidate, resamples: Resamples) -> list[MetricRow]:
    """Measure one candidate over all classes, with 95 % intervals.

    Returns:
        log_loss in nats (of several labels their mean), macro_log_loss (each class against the rest, averaged over the
        classes), brier, ece and auc (averaged over classes), macro_f1, and expected_profit a row; a row for each.

    Raises:
        BadProbabilities: the numbers are no probabilities.
    """
    p = candidate.p
    require_table(p, is_multiple=targets.is_multiple)
    present = [place for place in range(len(targets.classes)) if 0 < targets.flags[:, place].sum() < len(p)]
    each = np.column_stack([row_log_loss(targets.flags[:, place], p[:, place]) for place in range(p.shape[1])])
    eces = [metrics.ece(targets.flags[:, place], p[:, place]) for place in range(p.shape[1])]
    resampled = [metrics.resampled_ece(targets.flags[:, place], p[:, place], resamples) for place in range(p.shape[1])]
    found = {
        "log_loss": metrics.estimate_mean(row_surprise(targets, p), resamples),
        "macro_log_loss": metrics.estimate_mean(each.mean(axis=1), resamples),
        "brier": metrics.estimate_mean(row_squared_error(targets, p), resamples),
        "ece": _estimate(float(np.mean(eces)), np.mean(resampled, axis=0), resamples),
        "macro_f1": _macro_f1(targets, said_of(p, targets), resamples),
        "expected_profit": metrics.estimate_mean(candidate.profit, resamples),
    }
    if present:
        aucs = [metrics.auc(targets.flags[:, place], p[:, place]) for place in present]
        again = [metrics.resampled_auc(targets.flags[:, place], p[:, place], resamples) for place in present]
        found["auc"] = _estimate(float(np.mean(aucs)), np.mean(again, axis=0), resamples)
    return [
        {
            "candidate": candidate.name,
            "metric": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n_rows": len(p),
        }
        for name, one in found.items()
    ]


def measure_classes(targets: Targets, candidate: Candidate, resamples: Resamples) -> list[ClassMetricRow]:
    """Measure one candidate for each class against the rest.

    Returns:
        log_loss, brier, ece and auc with 95 % intervals from resampled blocks, precision and recall with those of
        Wilson; `n_rows` are the rows of the class. What has no answer (a class without a held-out row) has no row.
    """
    said, rows = said_of(candidate.p, targets), list[ClassMetricRow]()
    for place, name in enumerate(targets.classes):
        flags, p = targets.flags[:, place], candidate.p[:, place]
        found = metrics.measure(flags, p, np.zeros(len(p)), resamples)
        found.pop("expected_profit")
        n_right = int((flags & said[:, place]).sum())
        for metric, n_asked in (("precision", int(said[:, place].sum())), ("recall", int(flags.sum()))):
            if n_asked:
                low, high = wilson_interval(n_right, n_asked)
                found[metric] = Estimate(n_right / n_asked, float(low), float(high))
        rows += [
            ClassMetricRow(
                candidate=candidate.name,
                class_name=name,
                metric=metric,
                value=one.value,
                low=one.low,
                high=one.high,
                n_rows=int(flags.sum()),
            )
            for metric, one in found.items()
        ]
    return rows


def said_of(p: Probabilities, targets: Targets) -> NDArray[np.bool_]:
    """Say what a candidate takes rows for: the likeliest class, or every label from 0.5 on.

    Returns:
        shape (n_rows, n_classes).
    """
    if targets.is_multiple:
        return np.asarray(p >= 0.5)
    return np.asarray(np.arange(p.shape[1])[None, :] == p.argmax(axis=1)[:, None])


def confusion(targets: Targets, p: Probabilities) -> list[ConfusionRow]:
    """Count which class is taken for which, with Wilson's 95 % interval of the share of the true class.

    Of several labels each has a table of its own: the label, and `not` the label.

    Returns:
        one row for each pair of which the true class has a row, also where nothing was mixed up.
    """
    said = said_of(p, targets)
    rows: list[ConfusionRow] = []
    for place, name in enumerate(targets.classes):
        if targets.is_multiple:
            for true, is_true in ((name, targets.flags[:, place]), (f"not {name}", ~targets.flags[:, place])):
                rows += _shares(true, is_true, {name: said[:, place], f"not {name}": ~said[:, place]})
        else:
            rows += _shares(
                name, targets.flags[:, place], {other: said[:, at] for at, other in enumerate(targets.classes)}
            )
    return rows


def _shares(true: str, is_true: NDArray[np.bool_], said: dict[str, NDArray[np.bool_]]) -> list[ConfusionRow]:
    """Give the shares of one true class."""
    n_true = int(is_true.sum())
    rows: list[ConfusionRow] = []
    for name, is_said in said.items() if n_true else ():
        n = int((is_true & is_said).sum())
        low, high = wilson_interval(n, n_true)
        rows.append(
            ConfusionRow(
                true_class=true, said_class=name, n_rows=n, share_ratio=n / n_true, low=float(low), high=float(high)
            )
        )
    return rows


def _macro_f1(targets: Targets, said: NDArray[np.bool_], resamples: Resamples) -> Estimate:
    """Average F1 over the classes: twice the right ones, by all that were said and all that were true."""
    right = (targets.flags & said).astype(np.float64)
    asked = targets.flags.astype(np.float64) + said

    def f1(n_right: Probabilities, n_asked: Probabilities) -> Probabilities:
        return np.asarray(np.divide(2 * n_right, n_asked, out=np.zeros_like(n_right), where=n_asked > 0).mean(axis=-1))

    value = float(f1(right.sum(axis=0), asked.sum(axis=0)))
    return _estimate(value, f1(resamples.total(right), resamples.total(asked)), resamples)


def _estimate(value: float, resampled: Probabilities, resamples: Resamples) -> Estimate:
    """Put a figure into its interval."""
    return Estimate(value, *resamples.interval(value, resampled))
