"""Fits one training point: reads its rows and labels, trains, and registers what came out.

A store file around `training.py` and `evaluating.py`; what is due is decided in `plans.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from include.errors import BadPartition, NotEnoughLabels
from include.lake.reading import current_snapshot
from include.learning import evaluating, registry, storing
from include.learning.columns import BLOCK, IS_POSITIVE, IS_RANDOM
from include.learning.inspecting import require_one_label_each
from include.learning.labels import labels_as_of, read_answers, require_agreement, require_every_class, settle_answers
from include.learning.naming import name_version
from include.learning.rows import EVENT_AT, has_reviewers, label_of, read_rows, training_of, value_of
from include.learning.splitting import split_by_time
from include.learning.thresholds import Policy, earning_policy
from include.learning.training import Fitted, fit_by_folds, fit_by_time
from include.learning.versions import seed_of
from include.names import ROW_KEY, Stage, events_table
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.settings import read_settings
from include.warehouse.coverage import done_partitions, settled_prefix
from include.warehouse.database import open_warehouse


def fit_on_log(problem: Problem, point: str) -> dict[str, Any]:
    """Fit the model of one training point on what the log knew then."""
    with open_warehouse().connect() as connection:
        prefix = settled_prefix(connection, problem.name)
    if point not in prefix:
        raise BadPartition(f"{problem.name}: training point {point} is not published without a gap; plan again.")
    partitions = prefix[: prefix.index(point) + 1]
    snapshot = current_snapshot(events_table(problem.name))
    rows = read_rows(problem, partitions, snapshot_id=snapshot, is_known_only=True).assign(**{IS_RANDOM: True})
    as_of = rows[EVENT_AT].max()
    rows = leave_out_young(rows, label_of(problem))
    require_one_label_each(rows, IS_POSITIVE)
    training = training_of(problem)
    fitted = fit_by_time(rows, split_by_time(partitions, training.every), training)
    return _register(problem, fitted, rows, point, trained_through=point, snapshot=snapshot, as_of=as_of)


def fit_on_answers(problem: Problem, point: str) -> dict[str, Any]:
    """Fit the model of one round on what people have answered up to it."""
    with open_warehouse().connect() as connection:
        answers = read_answers(connection, problem.name, point)
        as_of = labels_as_of(connection, problem.name, point)
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    settled = settle_answers(answers, label_of(problem))
    require_agreement(answers, settled)
    require_every_class(settled, label_of(problem))
    snapshot = current_snapshot(events_table(problem.name))
    rows = join_answers(problem, settled, partitions, snapshot)
    fitted = fit_by_folds(rows, training_of(problem))
    return _register(problem, fitted, rows, point, trained_through=partitions[-1], snapshot=snapshot, as_of=as_of)


def join_answers(problem: Problem, settled: pd.DataFrame, partitions: Sequence[str], snapshot: str) -> pd.DataFrame:
    """Read the rows that people have answered, each once, with what they said, in the order of their keys."""
    rows = read_rows(problem, partitions, snapshot_id=snapshot, row_keys=settled["item_id"].tolist())
    # A label whose row was erased or withdrawn since has nothing to teach from; the join leaves it out.
    settled = settled.rename(columns={"item_id": ROW_KEY, "is_positive": IS_POSITIVE, "is_random": IS_RANDOM})
    # An item that lies in two partitions was shown once, in the earlier one; twice, it would be measured on itself.
    rows = rows.drop_duplicates(ROW_KEY).merge(settled, on=ROW_KEY).sort_values(ROW_KEY, ignore_index=True)
    rows[BLOCK] = range(len(rows))  # items were chosen one by one, so they are resampled one by one
    return rows


def leave_out_young(rows: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Leave out rows whose label may still change: they look negative only because the positive has not happened yet.

    The log's own clock counts: a row is young when the newest row is less than `label.delay` later.

    Args:
        rows: with the time of each event.

    Raises:
        NotEnoughLabels: every row is young.
    """
    if label.delay is None or rows.empty:
        return rows
    newest = rows[EVENT_AT].max()
    kept: pd.DataFrame = rows[rows[EVENT_AT] <= newest - label.delay].reset_index(drop=True)
    if kept.empty:
        raise NotEnoughLabels(
            f"All {len(rows):,} rows are younger than label.delay ({label.delay}) before {newest}; none has a final "
            "label. Let more data arrive, or shorten label.delay."
        )
    return kept


def _register(
    problem: Problem,
    fitted: Fitted,
    rows: pd.DataFrame,
    point: str,
    *,
    trained_through: str,
    snapshot: str,
    as_of: datetime,
) -> dict[str, Any]:
    """Store a fitted model and what is known about it; return the name of the version and its rows."""
    training = training_of(problem)
    version = name_version(point, rows, training)
    folder = registry.models_folder(read_settings(), problem.name)
    path, digest = storing.save_model(folder, storing.StoredModel(fitted.model, fitted.spec, version))
    heldout_digest = storing.save_heldout(folder, version, fitted.heldout)
    policy = earning_policy(value_of(problem), has_reviewers=has_reviewers(problem))
    metrics, curve = _measure(problem, fitted, version, policy)
    row = {
        "problem": problem.name,
        "model_version": version,
        "trained_through": trained_through,
        "snapshot_id": snapshot,
        "labels_as_of_utc": as_of,
        "artifact_url": path.name,
        "artifact_sha256": digest,
        "heldout_sha256": heldout_digest,
        "parameters": training.model_dump(mode="json") | {"found": dict(fitted.settings)},
        "trained_at_utc": datetime.now(UTC),
        **_describe(fitted, policy),
    }
    with open_warehouse().begin() as connection:
        registry.save_version(connection, row, metrics, curve)
        registry.save_choices(
            connection, row, [asdict(choice) for choice in fitted.choices], [asdict(term) for term in fitted.scorecard]
        )
    storing.sweep_version(folder, version, keep=path)
    return {"model_version": version, "n_rows": len(rows)}


def _describe(fitted: Fitted, policy: Policy) -> dict[str, Any]:
    """Give the columns of `core.model_version` that say what was fitted and what is done with it."""
    return {
        "model_name": fitted.chosen.candidate,
        "calibration": fitted.chosen.calibration,
        "n_train": fitted.n_train,
        "n_calibrate": fitted.n_calibrate,
        "n_evaluate": len(fitted.heldout),
        "n_left_out": fitted.n_left_out,
        "threshold_ratio": policy.act_from,
        "ask_from_ratio": policy.ask_from,
        "ask_until_ratio": policy.ask_until,
        "features": fitted.spec.names,
        "feature_auc": dict(fitted.feature_auc),
    }


def _measure(
    problem: Problem, fitted: Fitted, version: str, policy: Policy
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure all candidates on the held-out rows; return metrics, and points on the learning curve."""
    value = value_of(problem)
    seed = seed_of(version, training_of(problem).seed)
    weights = evaluating.bootstrap_weights(fitted.heldout, np.random.default_rng(seed))
    is_positive = fitted.heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    metrics = []
    candidates = evaluating.make_candidates(fitted.heldout, problem, value, policy, fitted.chosen.candidate)
    for candidate in candidates.values():
        metrics += evaluating.measure_candidate(candidate, is_positive, weights)
    curve = []
    if fitted.heldout_random_only is not None:
        heldout = {"all": fitted.heldout, "random": fitted.heldout_random_only}
        n_labels = {"all": fitted.n_train, "random": fitted.n_random}
        curve = evaluating.learning_curve(heldout, n_labels, np.random.default_rng(seed))
    return metrics, curve
