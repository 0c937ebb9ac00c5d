"""Fits one training point of several classes or labels: reads its rows, trains, and registers what came out.

A store file around `fit_classes.py`, `fit_labels.py` and `metrics.py`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from include.errors import NotInLake
from include.lake.reading import LogState, current_snapshot, read_log_states
from include.learning.contracts import FittedVersion
from include.learning.data.columns import BLOCK, IS_RANDOM, LABELS
from include.learning.data.dataset import EVENT_AT, has_reviewers, label_of, read_rows, training_of, value_of
from include.learning.data.labels import labels_as_of, read_answers
from include.learning.data.leakage_checks import require_one_label_each
from include.learning.data.splits import split_by_time
from include.learning.evaluation import benchmark
from include.learning.fit_version import leave_out_young
from include.learning.registry import artifacts, versions
from include.learning.registry.version_hash import name_version
from include.learning.registry.version_names import seed_of
from include.learning.several import metrics, store
from include.learning.several.answers import keep_known_classes, say_undecided, say_unseen, settle_answers
from include.learning.several.decisions import decisions_of
from include.learning.several.fit_classes import SeveralFitted, fit_classes_by_folds, fit_classes_by_time
from include.learning.several.fit_labels import fit_labels_by_folds, fit_labels_by_time
from include.learning.several.heldout import targets_in
from include.learning.several.targets import split_labels
from include.names import ROW_KEY, Stage, events_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.coverage import done_partitions, settled_prefix
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
    as_of = rows[EVENT_AT].max()
    label = label_of(problem)
    rows = leave_out_young(rows, label)
    require_one_label_each(rows.assign(**{LABELS: _as_text(rows, is_multiple=label.multiple)}), LABELS)
    rows, targets, outside = keep_known_classes(rows, label)
    training = training_of(problem)
    if training.split == "folds":
        fitted = (fit_labels_by_folds if label.multiple else fit_classes_by_folds)(rows, targets, training)
    else:
        fit = fit_labels_by_time if label.multiple else fit_classes_by_time
        fitted = fit(rows, targets, split_by_time(partitions, training.every), training)
    told = {"classes": " ".join(filter(None, [outside, say_unseen(targets)]))}
    return _register(
        problem, fitted, rows, point, told, trained_through=point, snapshot=snapshot, as_of=as_of, logs=logs
    )


def fit_on_answers(problem: Problem, point: str) -> FittedVersion:
    """Fit the model of one round on what people have answered up to it.

    Raises:
        NotEnoughLabels, BadFeatures, BadLabels: from the answers and the fit.
    """
    with open_warehouse().connect() as connection:
        answers = read_answers(connection, problem.name, point)
        as_of = labels_as_of(connection, problem.name, point)
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    label = label_of(problem)
    settled = settle_answers(answers, label)
    snapshot = current_snapshot(events_table(problem.name))
    logs = read_log_states(problem)
    rows = read_rows(problem, partitions, snapshot_id=snapshot, row_keys=settled["item_id"].tolist(), logs=logs)
    settled = settled.rename(columns={"item_id": ROW_KEY})
    # An item that lies in two partitions was shown once, in the earlier one; twice, it would be measured on itself.
    rows = rows.drop_duplicates(ROW_KEY).merge(settled, on=ROW_KEY).sort_values(ROW_KEY, ignore_index=True)
    rows[BLOCK] = range(len(rows))
    rows, targets, _ = keep_known_classes(rows, label)
    training = training_of(problem)
    fit = fit_labels_by_folds if label.multiple else fit_classes_by_folds
    fitted = fit(rows, targets, training)
    told = {"undecided": say_undecided(answers, settled.rename(columns={ROW_KEY: "item_id"}))}
    told |= {"classes": say_unseen(targets)}
    through = partitions[-1]
    return _register(
        problem, fitted, rows, point, told, trained_through=through, snapshot=snapshot, as_of=as_of, logs=logs
    )


def _as_text(rows: pd.DataFrame, *, is_multiple: bool) -> list[str]:
    """Write each row's labels as one text, to compare and to hash."""
    return ["\n".join(sorted(names)) for names in split_labels(rows[LABELS], is_multiple=is_multiple)]


def _register(
    problem: Problem,
    fitted: SeveralFitted,
    rows: pd.DataFrame,
    point: str,
    told: Mapping[str, str],
    *,
    trained_through: str,
    snapshot: str,
    as_of: datetime,
    logs: Mapping[str, LogState],
) -> FittedVersion:
    """Store a fitted model and what is known about it; return the name of the version and its rows."""
    training, label = training_of(problem), label_of(problem)
    hashed = rows.assign(**{LABELS: _as_text(rows, is_multiple=label.multiple)})
    version = name_version(point, hashed, training, label_column=LABELS)
    folder = versions.models_folder(read_settings(), problem.name)
    path, digest = artifacts.save_model(folder, artifacts.StoredModel(fitted.model, fitted.spec, version))
    heldout_digest = artifacts.save_heldout(folder, version, fitted.heldout)
    row = {
        "problem": problem.name,
        "model_version": version,
        "trained_through": trained_through,
        "snapshot_id": snapshot,
        "labels_as_of_utc": as_of,
        "artifact_url": path.name,
        "artifact_sha256": digest,
        "heldout_sha256": heldout_digest,
        "parameters": training.model_dump(mode="json") | {"found": dict(fitted.settings), "classes": label.classes},
        "trained_at_utc": datetime.now(UTC),
        **_describe(fitted),
    }
    targets = targets_in(fitted.heldout, label.classes, is_multiple=label.multiple)
    decisions = decisions_of(label, value_of(problem), has_reviewers=has_reviewers(problem))
    resamples = benchmark.resample_heldout(fitted.heldout, np.random.default_rng(seed_of(version, training.seed)))
    candidates = metrics.make_candidates(fitted.heldout, targets, decisions, fitted.model_name)
    measured = [row for one in candidates.values() for row in metrics.measure(targets, one, resamples)]
    by_class = [row for one in candidates.values() for row in metrics.measure_classes(targets, one, resamples)]
    mixed = metrics.confusion(targets, candidates[fitted.model_name].p)
    with open_warehouse().begin() as connection:
        versions.save_version(connection, row, measured, [])
        versions.save_choices(connection, row, [asdict(choice) for choice in fitted.choices], [])
        versions.save_logs(connection, row, {log: state.to_row() for log, state in logs.items()})
        versions.save_notes(connection, row, {**told, "left_out": " ".join(fitted.said), "refit": fitted.refit})
        store.save_classes(connection, row, by_class, mixed)
    artifacts.sweep_version(folder, version, keep=path, heldout_sha256=heldout_digest)
    return FittedVersion(version, len(rows))


def _describe(fitted: SeveralFitted) -> dict[str, object]:
    """Give the columns of `core.model_version` that say what was fitted; no single threshold decides."""
    return {
        "model_name": fitted.model_name,
        "calibration": fitted.calibration,
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
