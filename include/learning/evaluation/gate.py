"""Puts one fitted version through the gate, and writes down what was seen.

A store file around `evaluation/gate_checks.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from include.learning.calibration.calibrators import Calibrated
from include.learning.calibration.selection import uncalibrated
from include.learning.checks import Check
from include.learning.contracts import Verdict
from include.learning.data.columns import IS_POSITIVE, SEGMENT
from include.learning.data.dataset import has_reviewers, is_labelled_by_log, read_rows, training_of, value_of
from include.learning.data.features import build_features
from include.learning.data.labels import read_answers
from include.learning.data.near_duplicates import group_rows
from include.learning.evaluation import benchmark, first_model, gate_checks
from include.learning.evaluation.benchmark import Candidate, MetricRow
from include.learning.evaluation.heldout import read_heldout_rows
from include.learning.protocols import Flags, Probabilities, ScoreMap
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.registry.version_names import point_of, seed_of
from include.learning.scoring.predict import predict_rows
from include.learning.training.estimators import directions_of, positive_probability
from include.names import PARTITION_KEY, ROW_KEY, Stage
from include.partition_keys import following_partition, partition_bounds, partition_key_of
from include.problems.decision_policy import earning_policy, profit_of_policy
from include.problems.schema import Problem
from include.settings import read_settings
from include.stats.bootstrap import Resamples
from include.stats.probabilities import row_log_loss
from include.stats.reliability import calibration_error, sum_equal_count
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


def decide(problem: Problem, version: str, run_id: str) -> Verdict:
    """Put one version through the gate."""
    folder = versions.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
        champion = versions.champion_before(connection, problem.name, version)
    heldout = first_model.as_fitted(artifacts.load_heldout(folder, row))
    stored = artifacts.load_registered(folder, row)
    rival = _ask_champion(problem, row, heldout, champion) if champion else None
    checks, measured = _examine(problem, row, stored, heldout, rival)
    told = ""
    if rival is None and first_model.is_merely_off(checks):
        checks, measured, told = _settle_first(problem, row, stored, heldout, checks)
    reason = gate_checks.reason_of(checks)
    with open_warehouse().begin() as connection:
        versions.save_notes(connection, row, {"first": told})
        verdict = versions.record_decision(
            connection,
            row,
            checks,
            measured,
            serves_from=serves_from(problem, row),
            reason=reason,
            actor=run_id,
            now=datetime.now(UTC),
            needs_approval=training_of(problem).approval == "required",
        )
    return Verdict(version, verdict, reason, len(heldout))


def _settle_first(
    problem: Problem, row: versions.Row, stored: StoredModel, heldout: pd.DataFrame, checks: list[Check]
) -> tuple[list[Check], list[MetricRow], str]:
    """Do with a first model that is merely off what the file says.

    Returns:
        its checks now, its metrics where they changed, and what must be said about it.
    """
    training = training_of(problem)
    if training.gate.first == "serve_with_alert":
        allowed = first_model.allow_off(checks)
        return allowed, [], first_model.say_served_off(allowed, is_watched=problem.monitor is not None)
    if training.gate.first == "refuse":
        return checks, [], ""
    ways = first_model.recalibrations(heldout, training.seed)
    asked = [(_examine(problem, row, stored, answered, None)[0], answered, score_map) for answered, score_map in ways]
    passing = [one for one in asked if all(check.is_pass for check in one[0])]
    if not passing:
        return checks, [], ""
    again, answered, score_map = passing[0]
    _store_recalibrated(problem, row, stored, answered, score_map)
    before, after = (next(c for c in own if c.check_name == first_model.CALIBRATED) for own in (checks, again))
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    name = row["model_name"]
    model = benchmark.make_candidates(answered, problem, value_of(problem), policy, name)[name]
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    is_positive = answered[IS_POSITIVE].to_numpy(dtype=np.bool_)
    metrics = benchmark.measure_candidate(model, is_positive, benchmark.resample_heldout(answered, rng))
    return again, metrics, first_model.say_recalibrated(before, after, len(answered), is_replaced=score_map is not None)


def _store_recalibrated(
    problem: Problem, row: versions.Row, stored: StoredModel, heldout: pd.DataFrame, score_map: ScoreMap | None
) -> None:
    """Put new answers in the place of the old ones, and a new calibrator behind the stored model, if there is one."""
    folder = versions.models_folder(read_settings(), problem.name)
    changed = {"heldout_sha256": artifacts.save_heldout(folder, row["model_version"], heldout)}
    path = folder / str(row["artifact_url"])
    if score_map is not None:
        last = Calibrated(uncalibrated(stored.model[-1]), first_model.METHOD, score_map)
        model = Pipeline([("encode", stored.model[0]), ("classify", last)])
        path, digest = artifacts.save_model(folder, replace(stored, model=model))
        changed |= {"artifact_url": path.name, "artifact_sha256": digest, "calibration": first_model.METHOD}
    with open_warehouse().begin() as connection:
        versions.change_version(connection, row, changed)
    artifacts.sweep_version(folder, row["model_version"], keep=path, heldout_sha256=changed["heldout_sha256"])


def serves_from(problem: Problem, row: versions.Row) -> str:
    """Name the first partition that a version scores; empty, which is all of them, where people give the labels."""
    if not is_labelled_by_log(problem):
        return ""
    through, grain = row["trained_through"], problem.source.grain
    if problem.label is None or problem.label.within is None:
        return following_partition(through, grain)
    # Its last labels came so long after its last rows: nobody could have asked it before.
    known_at = partition_bounds(through, grain)[1] + problem.label.within
    key = partition_key_of(known_at, grain)
    return key if partition_bounds(key, grain)[0] == known_at else following_partition(key, grain)


def _examine(
    problem: Problem, row: versions.Row, stored: StoredModel, heldout: pd.DataFrame, rival: Rival | None
) -> tuple[list[Check], list[MetricRow]]:
    """Answer every check; return them, and the champion's metrics on the rows it was not fitted on."""
    training, unit = training_of(problem), value_of(problem).unit
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    resamples = benchmark.resample_heldout(heldout, rng)
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    candidates = benchmark.make_candidates(heldout, problem, value_of(problem), policy, row["model_name"])
    model = candidates[row["model_name"]]
    baselines = [candidates[name] for name in benchmark.baselines_of(problem)]
    checks = [
        gate_checks.check_earns_more(one.name, model.profit, one.profit, resamples, unit, is_first=rival is None)
        for one in baselines
    ]
    # A version may do without a feature that the file promises a direction of.
    directions = {name: sign for name, sign in directions_of(training.features).items() if name in row["features"]}
    if directions:
        checks.append(_check_directions(problem, row, stored, heldout, directions))
    checks.append(gate_checks.check_leaks(row["feature_auc"] or {}, training.gate.suspicious_auc))
    if rival is None:
        best = max(baselines, key=lambda one: float(one.profit.mean()))
        bound = problem.monitor.ece_alert if problem.monitor else gate_checks.DEFAULT_CALIBRATION_BOUND
        checks += [gate_checks.check_calibrated(is_positive, model.p, bound), gate_checks.check_without_champion()]
        return checks + _check_segments(problem, heldout, model.profit, best, resamples, best.name, rng), []
    own, places = Candidate(model.name, model.p[rival.places], model.profit[rival.places]), rival.places
    resamples = benchmark.resample_heldout(heldout.iloc[places], rng)
    checks += _check_against(problem, is_positive[places], own, rival, resamples)
    named = f"the champion {rival.version}"
    checks += _check_segments(problem, heldout.iloc[places], own.profit, rival.answers, resamples, named, rng)
    return checks, benchmark.measure_candidate(rival.answers, is_positive[places], resamples)


def _check_against(
    problem: Problem, is_positive: Flags, model: Candidate, rival: Rival, resamples: Resamples
) -> list[Check]:
    """Answer what is asked of a model that would replace a champion, all of it on the same rows."""
    rule, unit = training_of(problem).gate, value_of(problem).unit
    theirs = calibration_error(sum_equal_count(is_positive, rival.answers.p))
    surprise = row_log_loss(is_positive, rival.answers.p) - row_log_loss(is_positive, model.p)
    return [
        gate_checks.check_calibrated(is_positive, model.p, 0.0, theirs, rule.calibration_tolerance),
        gate_checks.check_earns_more_than_champion(
            model.profit, rival.answers.profit, resamples, unit, rival.version, surprise, rule
        ),
    ]


def _check_segments(
    problem: Problem,
    heldout: pd.DataFrame,
    profit: Probabilities,
    other: Candidate,
    resamples: Resamples,
    against: str,
    rng: np.random.Generator,
) -> list[Check]:
    """Ask whether a protected group pays for the new model."""
    unit = value_of(problem).unit
    return [
        check
        for rule in training_of(problem).protected
        for check in gate_checks.check_segments(
            heldout[f"{SEGMENT}{rule.column}"], profit, other.profit, resamples, rule, unit, against, rng
        )
    ]


def _check_directions(
    problem: Problem, row: versions.Row, stored: StoredModel, heldout: pd.DataFrame, directions: Mapping[str, int]
) -> Check:
    """Ask the stored model about some held-out rows, each feature with a direction moved over its grid."""
    training = training_of(problem)
    sample = heldout.sample(min(len(heldout), N_DIRECTION_ROWS), random_state=training.seed)
    frame = build_features(read_heldout_rows(problem, row, sample, stored.spec), stored.spec)
    return gate_checks.check_directions(lambda asked: positive_probability(stored.model, asked), frame, directions)


def _ask_champion(problem: Problem, row: versions.Row, heldout: pd.DataFrame, champion: versions.Row) -> Rival | None:
    """Let the champion answer for the held-out rows that it was not fitted on; None when there are none."""
    folder = versions.models_folder(read_settings(), problem.name)
    version = str(champion["model_version"])
    p = np.full(len(heldout), np.nan)
    if is_labelled_by_log(problem):
        is_unseen = (heldout[PARTITION_KEY] > point_of(version)).to_numpy(dtype=np.bool_)
    else:
        # Labels chosen by chance are measured on out of fold in every round: that is its answer where it was taught.
        own = artifacts.load_heldout(folder, champion).set_index(ROW_KEY)["p_model"]
        p = np.array(heldout[ROW_KEY].map(own), dtype=np.float64)
        is_unseen = np.isnan(p) & ~is_like_taught(problem, row, heldout, version)
    if is_unseen.any():
        stored = artifacts.load_registered(folder, champion)
        p[is_unseen] = predict_rows(stored, read_heldout_rows(problem, row, heldout[is_unseen], stored.spec))
    places = np.flatnonzero(~np.isnan(p))
    if not len(places):
        return None
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)[places]
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    profit = profit_of_policy(p[places], is_positive, value_of(problem), policy)
    return Rival(version, places, Candidate(benchmark.CHAMPION, p[places], profit))


def is_like_taught(problem: Problem, row: versions.Row, heldout: pd.DataFrame, champion: str) -> Flags:
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
