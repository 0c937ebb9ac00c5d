"""Puts one fitted version through the gate, and writes down what was seen.

A store file around `gating.py`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning import evaluating, gating, metrics, registry, storing
from include.learning.columns import IS_POSITIVE, SEGMENT
from include.learning.evaluating import Candidate
from include.learning.features import build_features
from include.learning.gating import Check
from include.learning.grouping import group_rows
from include.learning.heldout import read_heldout_rows
from include.learning.labels import read_answers
from include.learning.models import directions_of, positive_probability
from include.learning.rows import has_reviewers, is_labelled_by_log, read_rows, training_of, value_of
from include.learning.scoring import predict_rows
from include.learning.storing import StoredModel
from include.learning.thresholds import earning_policy, profit_of_policy
from include.learning.versions import following_partition, point_of, seed_of
from include.names import PARTITION_KEY, ROW_KEY, Stage
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse

# Times 1,000 steps of the grid.
N_DIRECTION_ROWS = 50


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


def decide(problem: Problem, version: str, run_id: str) -> dict[str, Any]:
    """Put one version through the gate."""
    folder = registry.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
        champion = registry.champion_before(connection, problem.name, version)
    heldout = storing.load_heldout(folder, row)
    stored = storing.load_registered(folder, row)
    rival = _ask_champion(problem, row, heldout, champion) if champion else None
    checks, champion_metrics = _examine(problem, row, stored, heldout, rival)
    reason = gating.reason_of(checks)
    with open_warehouse().begin() as connection:
        verdict = registry.record_decision(
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
    return {"model_version": version, "verdict": verdict, "reason": reason, "n_rows": len(heldout)}


def serves_from(problem: Problem, row: registry.Row) -> str:
    """Name the first partition that a version scores; empty, which is all of them, where people give the labels."""
    if not is_labelled_by_log(problem):
        return ""
    return following_partition(row["trained_through"], problem.source.grain)


def _examine(
    problem: Problem, row: registry.Row, stored: StoredModel, heldout: pd.DataFrame, rival: Rival | None
) -> tuple[list[Check], list[dict[str, Any]]]:
    """Answer every check; return them, and the champion's metrics on the rows it was not fitted on."""
    training, unit = training_of(problem), value_of(problem).unit
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    weights = evaluating.bootstrap_weights(heldout, rng)
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    candidates = evaluating.make_candidates(heldout, problem, value_of(problem), policy, row["model_name"])
    model = candidates[row["model_name"]]
    baselines = [candidates[name] for name in evaluating.baselines_of(problem)]
    checks = [
        gating.check_earns_more(one.name, model.profit, one.profit, weights, unit, is_first=rival is None)
        for one in baselines
    ]
    if directions_of(training.features):
        checks.append(_check_directions(problem, row, stored, heldout))
    checks.append(gating.check_leaks(row["feature_auc"] or {}, training.gate.suspicious_auc))
    if rival is None:
        best = max(baselines, key=lambda one: float(one.profit.mean()))
        checks += _check_first(problem, is_positive, model, rng)
        return checks + _check_segments(problem, heldout, model.profit, best.profit, weights, best.name), []
    own, places = Candidate(model.name, model.p[rival.places], model.profit[rival.places]), rival.places
    weights = evaluating.bootstrap_weights(heldout.iloc[places], rng)
    checks += _check_against(problem, is_positive[places], own, rival, weights, rng)
    checks += _check_segments(
        problem, heldout.iloc[places], own.profit, rival.answers.profit, weights, f"the champion {rival.version}"
    )
    return checks, evaluating.measure_candidate(rival.answers, is_positive[places], weights)


def _check_first(
    problem: Problem, is_positive: NDArray[np.bool_], model: Candidate, rng: np.random.Generator
) -> list[Check]:
    """Answer what is asked of a first model."""
    bound = problem.monitor.ece_alert if problem.monitor else gating.DEFAULT_ECE_BOUND
    return [gating.check_calibrated(is_positive, model.p, bound, rng), gating.check_without_champion()]


def _check_against(
    problem: Problem,
    is_positive: NDArray[np.bool_],
    model: Candidate,
    rival: Rival,
    weights: NDArray[Any],
    rng: np.random.Generator,
) -> list[Check]:
    """Answer what is asked of a model that would replace a champion, all of it on the same rows."""
    tolerance = training_of(problem).gate.calibration_tolerance
    excess = gating.calibration_excess(is_positive, rival.answers.p, rng)
    ones = metrics.ones(len(is_positive))
    surprise = metrics.log_loss(is_positive, model.p, ones) - metrics.log_loss(is_positive, rival.answers.p, ones)
    return [
        gating.check_calibrated(is_positive, model.p, 0.0, rng, excess, tolerance),
        gating.check_earns_more_than_champion(
            model.profit, rival.answers.profit, weights, value_of(problem).unit, rival.version, float(surprise[0])
        ),
    ]


def _check_segments(
    problem: Problem,
    heldout: pd.DataFrame,
    profit: NDArray[np.float64],
    other: NDArray[np.float64],
    weights: NDArray[Any],
    against: str,
) -> list[Check]:
    """Ask whether a protected group pays for the new model."""
    unit = value_of(problem).unit
    return [
        check
        for rule in training_of(problem).protected
        for check in gating.check_segments(
            heldout[f"{SEGMENT}{rule.column}"], profit, other, weights, rule, unit, against
        )
    ]


def _check_directions(problem: Problem, row: registry.Row, stored: StoredModel, heldout: pd.DataFrame) -> Check:
    """Ask the stored model about some held-out rows, each feature with a direction moved over its grid."""
    training = training_of(problem)
    sample = heldout.sample(min(len(heldout), N_DIRECTION_ROWS), random_state=training.seed)
    frame = build_features(read_heldout_rows(problem, row, sample, stored.spec), stored.spec)
    return gating.check_directions(
        lambda asked: positive_probability(stored.model, asked), frame, directions_of(training.features)
    )


def _ask_champion(problem: Problem, row: registry.Row, heldout: pd.DataFrame, champion: registry.Row) -> Rival | None:
    """Let the champion answer for the held-out rows that it was not fitted on; None when there are none."""
    folder = registry.models_folder(read_settings(), problem.name)
    version = str(champion["model_version"])
    p = np.full(len(heldout), np.nan)
    if is_labelled_by_log(problem):
        is_unseen = (heldout[PARTITION_KEY] > point_of(version)).to_numpy(dtype=np.bool_)
    else:
        # Labels chosen by chance are measured on out of fold in every round: that is its answer where it was taught.
        own = storing.load_heldout(folder, champion).set_index(ROW_KEY)["p_model"]
        p = np.array(heldout[ROW_KEY].map(own), dtype=np.float64)
        is_unseen = np.isnan(p) & ~_is_like_taught(problem, row, heldout, version)
    if is_unseen.any():
        stored = storing.load_registered(folder, champion)
        p[is_unseen] = predict_rows(stored, read_heldout_rows(problem, row, heldout[is_unseen], stored.spec))
    places = np.flatnonzero(~np.isnan(p))
    if not len(places):
        return None
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)[places]
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    profit = profit_of_policy(p[places], is_positive, value_of(problem), policy)
    return Rival(version, places, Candidate(evaluating.CHAMPION, p[places], profit))


def _is_like_taught(problem: Problem, row: registry.Row, heldout: pd.DataFrame, champion: str) -> NDArray[np.bool_]:
    """Say which held-out rows belong with one that taught the champion: it would answer for them from memory.

    Only for labels from people; from the log the champion's rows lie in earlier partitions.
    """
    training = training_of(problem)
    with open_warehouse().connect() as connection:
        taught = read_answers(connection, problem.name, point_of(champion))["item_id"]
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    keys = sorted({*taught, *heldout[ROW_KEY]})
    rows = read_rows(problem, partitions, snapshot_id=row["snapshot_id"], row_keys=keys).drop_duplicates(ROW_KEY)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    alike = rows[ROW_KEY][np.isin(groups, groups[rows[ROW_KEY].isin(taught)])]
    return heldout[ROW_KEY].isin(alike).to_numpy(dtype=np.bool_)
