"""Fits one training point of a quantity: reads its rows, trains, and registers what came out.

A store file around `fit_quantity.py` and `metrics.py`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from include.errors import NotInLake
from include.lake.reading import LogState, current_snapshot, read_log_states
from include.learning.contracts import FittedVersion
from include.learning.data.columns import IS_RANDOM, LABELS
from include.learning.data.dataset import EVENT_AT, label_of, read_rows, training_of, value_of
from include.learning.data.leakage_checks import require_one_label_each
from include.learning.data.splits import split_by_time
from include.learning.evaluation import benchmark
from include.learning.fit_version import leave_out_young, say_missing
from include.learning.quantity import metrics
from include.learning.quantity.fit_quantity import QuantityChoice, QuantityFitted, fit_quantity
from include.learning.quantity.heldout import actual_in
from include.learning.quantity.levels import costs_of, levels_of
from include.learning.quantity.newest_offsets import label_lag
from include.learning.quantity.numbers import keep_numbers
from include.learning.registry import artifacts, versions
from include.learning.registry.version_hash import name_version
from include.learning.registry.version_names import seed_of
from include.names import events_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.coverage import settled_prefix
from include.warehouse.database import open_warehouse


def fit_on_log(problem: Problem, point: str) -> FittedVersion:
    """Fit the model of one training point on what the log knew then.

    Raises:
        NotInLake: the point is not published without a gap.
        NotEnoughLabels, BadFeatures, BadLabels: from the fit.
    """
    with open_warehouse().connect() as connection:
        prefix = settled_prefix(connection, problem.name)
    if point not in prefix:
        raise NotInLake(f"{problem.name}: training point {point} is not published without a gap; plan again.")
    partitions = prefix[: prefix.index(point) + 1]
    snapshot = current_snapshot(events_table(problem.name))
    logs = read_log_states(problem)
    rows = read_rows(problem, partitions, snapshot_id=snapshot, is_known_only=True, logs=logs)
    rows = rows.assign(**{IS_RANDOM: True})
    as_of, label = rows[EVENT_AT].max(), label_of(problem)
    rows = leave_out_young(rows, label)
    rows, no_number = keep_numbers(rows)
    require_one_label_each(rows, LABELS)
    training, value = training_of(problem), value_of(problem)
    split = split_by_time(partitions, training.every)
    fitted = fit_quantity(rows, split, training, levels_of(label, value), costs_of(value), label_lag(label))
    told = {"numbers": no_number, "joined": say_missing(problem, rows), "left_out": " ".join(fitted.said)}
    return _register(problem, fitted, rows, point, told, snapshot=snapshot, as_of=as_of, logs=logs)


def _register(
    problem: Problem,
    fitted: QuantityFitted,
    rows: pd.DataFrame,
    point: str,
    told: Mapping[str, str],
    *,
    snapshot: str,
    as_of: datetime,
    logs: Mapping[str, LogState],
) -> FittedVersion:
    """Store a fitted model and what is known about it; return the name of the version and its rows."""
    training, label, value = training_of(problem), label_of(problem), value_of(problem)
    levels, costs = levels_of(label, value), costs_of(value)
    # What is said of a row is part of what was fitted: another interval or another cost is another version.
    hashed = rows.assign(**{LABELS: [f"{number!r} {levels}" for number in rows[LABELS].tolist()]})
    version = name_version(point, hashed, training, label_column=LABELS)
    folder = versions.models_folder(read_settings(), problem.name)
    path, digest = artifacts.save_model(folder, artifacts.StoredModel(fitted.model, fitted.spec, version))
    heldout_digest = artifacts.save_heldout(folder, version, fitted.heldout)
    row = {
        "problem": problem.name,
        "model_version": version,
        "trained_through": point,
        "snapshot_id": snapshot,
        "labels_as_of_utc": as_of,
        "artifact_url": path.name,
        "artifact_sha256": digest,
        "heldout_sha256": heldout_digest,
        "parameters": training.model_dump(mode="json") | {"levels": asdict(levels), "costs": asdict(costs)},
        "trained_at_utc": datetime.now(UTC),
        **_describe(fitted),
    }
    resamples = benchmark.resample_heldout(fitted.heldout, np.random.default_rng(seed_of(version, training.seed)))
    candidates = metrics.make_candidates(fitted.heldout, costs, fitted.model_name)
    actual = actual_in(fitted.heldout)
    measured = [row for one in candidates.values() for row in metrics.measure(actual, one, levels, resamples)]
    with open_warehouse().begin() as connection:
        versions.save_version(connection, row, measured, [])
        versions.save_choices(connection, row, [_choice_row(choice) for choice in fitted.choices], [])
        versions.save_logs(connection, row, {log: state.to_row() for log, state in logs.items()})
        versions.save_notes(connection, row, told)
    artifacts.sweep_version(folder, version, keep=path, heldout_sha256=heldout_digest)
    return FittedVersion(version, len(rows))


def _choice_row(choice: QuantityChoice) -> dict[str, object]:
    """Give a row of `core.model_choice` without its keys."""
    return asdict(choice) | {"calibration": "conformal", "log_loss_nats": None}


def _describe(fitted: QuantityFitted) -> dict[str, object]:
    """Give the columns of `core.model_version` that say what was fitted; no probability decides."""
    return {
        "model_name": fitted.model_name,
        "calibration": "conformal",
        "n_train": fitted.n_train,
        "n_calibrate": fitted.n_calibrate,
        "n_evaluate": len(fitted.heldout),
        "n_left_out": fitted.n_left_out,
        "threshold_ratio": None,
        "ask_from_ratio": None,
        "ask_until_ratio": None,
        "features": fitted.spec.names,
        "feature_auc": dict(fitted.feature_auc),
    }
