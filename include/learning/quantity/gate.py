"""Puts one version of a quantity through the gate, and writes down what was seen.

A store file around `gate_checks.py` of this folder and of `evaluation/`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning.checks import Check
from include.learning.contracts import Verdict
from include.learning.data.columns import SEGMENT
from include.learning.data.dataset import label_of, training_of, value_of
from include.learning.evaluation import benchmark, gate_checks
from include.learning.evaluation.benchmark import CHAMPION, MetricRow
from include.learning.evaluation.gate import serves_from
from include.learning.evaluation.heldout import read_heldout_rows
from include.learning.quantity import metrics
from include.learning.quantity.following import spread_offsets
from include.learning.quantity.gate_checks import check_coverage
from include.learning.quantity.heldout import actual_in
from include.learning.quantity.levels import Costs, costs_of, levels_of
from include.learning.quantity.metrics import NAIVE, Candidate
from include.learning.quantity.newest_offsets import offsets_before
from include.learning.quantity.predict import read_frame
from include.learning.registry import artifacts, versions
from include.learning.registry.version_names import point_of, seed_of
from include.learning.training.estimators import DUMMY
from include.names import PARTITION_KEY
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse


@dataclass(frozen=True)
class Rival:
    """What the champion said about held-out rows that it was not fitted on.

    Attributes:
        version: its name.
        places: shape (n_answered,), which held-out rows.
        answers: about those rows.
    """

    version: str
    places: NDArray[np.intp]
    answers: Candidate


def decide(problem: Problem, version: str, run_id: str) -> Verdict:
    """Put one version through the gate.

    Raises:
        TamperedModel: a stored model is not the registered one.
    """
    folder = versions.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
        champion = versions.champion_before(connection, problem.name, version)
    heldout = artifacts.load_heldout(folder, row)
    artifacts.load_registered(folder, row)
    costs = costs_of(value_of(problem))
    rival = _ask_champion(problem, row, heldout, costs, champion) if champion else None
    checks, champion_metrics = _examine(problem, row, heldout, costs, rival)
    reason = gate_checks.reason_of(checks)
    with open_warehouse().begin() as connection:
        verdict = versions.record_decision(
            connection,
            row,
            checks,
            champion_metrics,
            serves_from=serves_from(problem, row),
            reason=reason,
            actor=run_id,
            now=datetime.now(UTC),
            needs_approval=training_of(problem).approval == "required",
        )
    return Verdict(version, verdict, reason, len(heldout))


def _examine(
    problem: Problem, row: versions.Row, heldout: pd.DataFrame, costs: Costs, rival: Rival | None
) -> tuple[list[Check], list[MetricRow]]:
    """Answer every check; return them, and the champion's metrics on the rows it was not fitted on."""
    training, unit = training_of(problem), value_of(problem).unit
    levels, actual = levels_of(label_of(problem), value_of(problem)), actual_in(heldout)
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    resamples = benchmark.resample_heldout(heldout, rng)
    candidates = metrics.make_candidates(heldout, costs, row["model_name"])
    model = candidates[row["model_name"]]
    # A seasonal naive forecast that was chosen is not asked to earn more than itself.
    baselines = [candidates[name] for name in (DUMMY, NAIVE) if name != row["model_name"]]
    checks = [
        gate_checks.check_earns_more(one.name, model.profit, one.profit, resamples, unit, is_first=rival is None)
        for one in baselines
    ]
    checks.append(gate_checks.check_leaks(row["feature_auc"] or {}, training.gate.suspicious_auc))
    checks.append(check_coverage(actual, model.answers, levels, resamples))
    if rival is None:
        best = max(baselines, key=lambda one: float(one.profit.mean()))
        checks.append(gate_checks.check_without_champion())
        return checks + _check_segments(problem, heldout, model, best, best.name, rng), []
    places = rival.places
    own = Candidate(model.name, model.answers.where(places), model.profit[places])
    resamples = benchmark.resample_heldout(heldout.iloc[places], rng)
    # Where both earn the same, the smaller miss decides: a lead in money alone may be the luck of a few large ones.
    surprise = np.abs(rival.answers.answers.predicted - actual[places]) - np.abs(own.answers.predicted - actual[places])
    checks.append(
        gate_checks.check_earns_more_than_champion(
            own.profit, rival.answers.profit, resamples, unit, rival.version, surprise, training.gate
        )
    )
    named = f"the champion {rival.version}"
    checks += _check_segments(problem, heldout.iloc[places], own, rival.answers, named, rng)
    return checks, metrics.measure(actual[places], rival.answers, levels, resamples)


def _check_segments(
    problem: Problem,
    heldout: pd.DataFrame,
    model: Candidate,
    other: Candidate,
    against: str,
    rng: np.random.Generator,
) -> list[Check]:
    """Ask whether a protected group pays for the new model."""
    resamples, unit = benchmark.resample_heldout(heldout, rng), value_of(problem).unit
    return [
        check
        for rule in training_of(problem).protected
        for check in gate_checks.check_segments(
            heldout[f"{SEGMENT}{rule.column}"], model.profit, other.profit, resamples, rule, unit, against, rng
        )
    ]


def _ask_champion(
    problem: Problem, row: versions.Row, heldout: pd.DataFrame, costs: Costs, champion: versions.Row
) -> Rival | None:
    """Let the champion answer for the held-out rows of later partitions than its own; None when there are none."""
    folder = versions.models_folder(read_settings(), problem.name)
    version = str(champion["model_version"])
    places = np.flatnonzero((heldout[PARTITION_KEY] > point_of(version)).to_numpy(dtype=np.bool_))
    if not len(places):
        return None
    stored = artifacts.load_registered(folder, champion)
    rows = read_heldout_rows(problem, row, heldout.iloc[places], stored.spec)
    partitions = rows[PARTITION_KEY].to_numpy(dtype=object)
    offsets = offsets_before(problem, stored, sorted(set(partitions)))
    answers = stored.model.answer(read_frame(rows, stored.spec), spread_offsets(offsets, partitions))
    profit = costs.profit(answers.action, actual_in(heldout.iloc[places]))
    return Rival(version, places, Candidate(CHAMPION, answers, profit))
