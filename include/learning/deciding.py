"""Puts one fitted version through the gate, and writes down what was seen.

A store file around `gating.py`.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning import evaluating, gating, registry, storing
from include.learning.features import build_features
from include.learning.gating import Check
from include.learning.models import directions_of, positive_probability
from include.learning.rows import is_labelled_by_log, read_rows, training_of, value_of
from include.learning.scoring import predict_rows
from include.learning.storing import StoredModel
from include.learning.thresholds import profit_of_actions
from include.learning.training import IS_POSITIVE
from include.learning.versions import following_partition, point_of, seed_of
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse

N_DIRECTION_ROWS = 200
MAX_KEYS_IN_A_FILTER = 1_000


def decide(problem: Problem, version: str, run_id: str) -> dict[str, Any]:
    """Put one version through the gate."""
    folder = registry.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
        champion = registry.champion_before(connection, problem.name, version)
    heldout = storing.load_heldout(folder, version)
    stored = storing.load_registered(folder, row)
    checks, champion_metrics = _examine(problem, row, stored, heldout, champion)
    reason = gating.reason_of(checks)
    serves_from = (
        following_partition(row["trained_through"], problem.source.grain) if is_labelled_by_log(problem) else ""
    )
    with open_warehouse().begin() as connection:
        verdict = registry.record_decision(
            connection,
            row,
            checks,
            champion_metrics,
            serves_from=serves_from,
            reason=reason,
            actor=run_id,
            now=datetime.now(UTC),
        )
    return {"model_version": version, "verdict": verdict, "reason": reason, "n_rows": len(heldout)}


def _examine(
    problem: Problem,
    row: registry.Row,
    stored: StoredModel,
    heldout: pd.DataFrame,
    champion: registry.Row | None,
) -> tuple[list[Check], list[dict[str, Any]]]:
    """Answer every check; return them, and the champion's metrics on the rows it has not seen."""
    training, unit = training_of(problem), value_of(problem).unit
    rng = np.random.default_rng(seed_of(row["model_version"], training.seed))
    weights = evaluating.bootstrap_weights(heldout, rng)
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    candidates = evaluating.make_candidates(heldout, problem, value_of(problem), row["threshold_ratio"])
    model = candidates[training.model]
    checks = [
        gating.check_earns_more(name, model.profit, candidates[name].profit, weights, unit)
        for name in evaluating.baselines_of(problem)
    ]
    if directions_of(training.features):
        checks.append(_check_directions(problem, row, stored, heldout))
    bound = problem.monitor.ece_alert if problem.monitor else gating.DEFAULT_ECE_BOUND
    rival = _ask_champion(problem, row, heldout, champion) if champion else None
    if champion is None or rival is None:
        version = str(champion["model_version"]) if champion else None
        calibrated = gating.check_calibrated(is_positive, model.p, bound, rng)
        return [*checks, calibrated, gating.check_without_champion(version)], []
    places, answers = rival
    # Only a champion that answered for all rows was measured on the same ones.
    is_all = len(places) == len(heldout)
    excess = gating.calibration_excess(is_positive, answers.p, rng) if is_all else None
    checks.append(gating.check_calibrated(is_positive, model.p, bound, rng, excess))
    weights = evaluating.bootstrap_weights(heldout.iloc[places], rng)
    version = str(champion["model_version"])
    checks.append(gating.check_not_worse_than_champion(model.profit[places], answers.profit, weights, unit, version))
    return checks, evaluating.measure_candidate(answers, is_positive[places], weights)


def _check_directions(problem: Problem, row: registry.Row, stored: StoredModel, heldout: pd.DataFrame) -> Check:
    """Ask the stored model about some held-out rows, each feature with a direction moved over its grid."""
    training = training_of(problem)
    sample = heldout.sample(min(len(heldout), N_DIRECTION_ROWS), random_state=training.seed)
    frame = build_features(_heldout_rows(problem, row, sample), stored.spec)
    return gating.check_directions(
        lambda asked: positive_probability(stored.model, asked), frame, directions_of(training.features)
    )


def _ask_champion(
    problem: Problem, row: registry.Row, heldout: pd.DataFrame, champion: registry.Row
) -> tuple[NDArray[np.intp], evaluating.Candidate] | None:
    """Let the champion answer for the held-out rows that it has not seen; None when it has seen them all."""
    folder = registry.models_folder(read_settings(), problem.name)
    version = str(champion["model_version"])
    if is_labelled_by_log(problem):
        is_unseen = heldout[PARTITION_KEY] > point_of(version)
    else:
        # Labels chosen by chance are measured on out of fold in every round; its own round taught the champion these.
        is_unseen = ~heldout[ROW_KEY].isin(storing.load_heldout(folder, version)[ROW_KEY])
    places = np.flatnonzero(is_unseen.to_numpy(dtype=np.bool_))
    if not len(places):
        return None
    unseen = heldout.iloc[places]
    p = predict_rows(storing.load_registered(folder, champion), _heldout_rows(problem, row, unseen))
    is_positive = unseen[IS_POSITIVE].to_numpy(dtype=np.bool_)
    profit = profit_of_actions(p >= row["threshold_ratio"], is_positive, value_of(problem))
    return places, evaluating.Candidate(evaluating.CHAMPION, p, profit)


def _heldout_rows(problem: Problem, row: registry.Row, heldout: pd.DataFrame) -> pd.DataFrame:
    """Read held-out rows as they were at training, in the order of `heldout`."""
    partitions = sorted(heldout[PARTITION_KEY].unique())
    # A few hundred keys are a filter; tens of thousands are read whole and picked from.
    row_keys = heldout[ROW_KEY].tolist() if len(heldout) <= MAX_KEYS_IN_A_FILTER else None
    rows = read_rows(problem, partitions, snapshot_id=row["snapshot_id"], row_keys=row_keys)
    place = [PARTITION_KEY, ROW_KEY]  # a key may lie in two partitions
    return rows.set_index(place).loc[pd.MultiIndex.from_frame(heldout[place])].reset_index()
