"""Puts one version of several classes or labels through the gate, and writes down what was seen.

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
from include.learning.data.dataset import has_reviewers, is_labelled_by_log, label_of, training_of, value_of
from include.learning.evaluation import benchmark, first_model, gate_checks
from include.learning.evaluation.benchmark import CHAMPION, MetricRow
from include.learning.evaluation.gate import is_like_taught, serves_from
from include.learning.evaluation.heldout import read_heldout_rows
from include.learning.registry import artifacts, versions
from include.learning.registry.version_names import point_of, seed_of
from include.learning.several import gate_checks as class_checks
from include.learning.several import metrics
from include.learning.several.decisions import Decisions, decisions_of, profit_of
from include.learning.several.heldout import MODEL_COLUMN, table_of, targets_in
from include.learning.several.metrics import Candidate
from include.learning.several.predict import predict_table
from include.learning.several.targets import Targets, row_surprise
from include.learning.training.estimators import DUMMY
from include.names import PARTITION_KEY, ROW_KEY
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
    label = label_of(problem)
    targets = targets_in(heldout, label.classes, is_multiple=label.multiple)
    decisions = decisions_of(label, value_of(problem), has_reviewers=has_reviewers(problem))
    rival = _ask_champion(problem, row, heldout, targets, decisions, champion) if champion else None
    checks, champion_metrics = _examine(problem, row, heldout, targets, decisions, rival)
    told, first = "", training_of(problem).gate.first
    if rival is None and first == "serve_with_alert" and first_model.is_merely_off(checks):
        checks = first_model.allow_off(checks)
        told = first_model.say_served_off(checks, is_watched=problem.monitor is not None)
    reason = gate_checks.reason_of(checks)
    with open_warehouse().begin() as connection:
        versions.save_notes(connection, row, {"first": told})
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
    problem: Problem,
    row: versions.Row,
    heldout: pd.DataFrame,
    targets: Targets,
    decisions: Decisions,
    rival: Rival | None,
) -> tuple[list[Check], list[MetricRow]]:
    """Answer every check; return them, and the champion's metrics on the rows it was not fitted on."""
    training, unit = training_of(problem), value_of(problem).unit
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    resamples = benchmark.resample_heldout(heldout, rng)
    candidates = metrics.make_candidates(heldout, targets, decisions, row["model_name"])
    model, dummy = candidates[row["model_name"]], candidates[DUMMY]
    checks = [
        gate_checks.check_earns_more(DUMMY, model.profit, dummy.profit, resamples, unit, is_first=rival is None),
        gate_checks.check_leaks(row["feature_auc"] or {}, training.gate.suspicious_auc),
    ]
    if rival is None:
        bound = problem.monitor.ece_alert if problem.monitor else gate_checks.DEFAULT_CALIBRATION_BOUND
        checks += class_checks.check_calibrated_classes(targets, model.p, bound)
        checks.append(gate_checks.check_without_champion())
        return checks + _check_segments(problem, heldout, model, dummy, DUMMY, rng), []
    places = rival.places
    own, seen = Candidate(model.name, model.p[places], model.profit[places]), targets.where(places)
    resamples = benchmark.resample_heldout(heldout.iloc[places], rng)
    surprise = row_surprise(seen, rival.answers.p) - row_surprise(seen, own.p)
    tolerance = training.gate.calibration_tolerance
    checks += class_checks.check_calibrated_classes(seen, own.p, 0.0, rival.answers.p, tolerance)
    checks += class_checks.check_no_class_pays(seen, own.p, rival.answers.p, resamples, rival.version)
    checks.append(
        gate_checks.check_earns_more_than_champion(
            own.profit, rival.answers.profit, resamples, unit, rival.version, surprise, training.gate
        )
    )
    named = f"the champion {rival.version}"
    checks += _check_segments(problem, heldout.iloc[places], own, rival.answers, named, rng)
    return checks, metrics.measure(seen, rival.answers, resamples)


def _check_segments(
    problem: Problem,
    heldout: pd.DataFrame,
    model: Candidate,
    other: Candidate,
    against: str,
    rng: np.random.Generator,
) -> list[Check]:
    """Ask whether a protected group pays for the new model."""
    resamples = benchmark.resample_heldout(heldout, rng)
    return [
        check
        for rule in training_of(problem).protected
        for check in gate_checks.check_segments(
            heldout[f"{SEGMENT}{rule.column}"],
            model.profit,
            other.profit,
            resamples,
            rule,
            value_of(problem).unit,
            against,
            rng,
        )
    ]


def _ask_champion(
    problem: Problem,
    row: versions.Row,
    heldout: pd.DataFrame,
    targets: Targets,
    decisions: Decisions,
    champion: versions.Row,
) -> Rival | None:
    """Let the champion answer for the held-out rows that it was not fitted on; None when there are none."""
    folder = versions.models_folder(read_settings(), problem.name)
    version = str(champion["model_version"])
    p = np.full((len(heldout), len(targets.classes)), np.nan)
    if is_labelled_by_log(problem):
        is_unseen = (heldout[PARTITION_KEY] > point_of(version)).to_numpy(dtype=np.bool_)
    else:
        own = artifacts.load_heldout(folder, champion).drop_duplicates(ROW_KEY).set_index(ROW_KEY)
        is_measured = heldout[ROW_KEY].isin(own.index).to_numpy(dtype=np.bool_)
        answered = own.loc[heldout[ROW_KEY][is_measured]]
        p[is_measured] = table_of(answered, MODEL_COLUMN, targets.classes)
        is_unseen = ~is_measured & ~is_like_taught(problem, row, heldout, version)
    if is_unseen.any():
        stored = artifacts.load_registered(folder, champion)
        rows = read_heldout_rows(problem, row, heldout[is_unseen], stored.spec)
        p[is_unseen] = predict_table(stored, rows, targets.classes)
    places = np.flatnonzero(~np.isnan(p).any(axis=1))
    if not len(places):
        return None
    profit = profit_of(p[places], targets.where(places), decisions)
    return Rival(version, places, Candidate(CHAMPION, p[places], profit))
