"""Fits one training point: reads its rows and labels, trains, and registers what came out.

A store file around `training/fit.py` and `evaluation/benchmark.py`; what is due is decided in `training/schedule.py`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from include.errors import NotEnoughLabels, NotInLake
from include.lake.reading import LogState, current_snapshot, read_log_states
from include.learning.contracts import FittedVersion, FittedVersions
from include.learning.data.columns import BLOCK, IS_POSITIVE, IS_RANDOM
from include.learning.data.dataset import (
    EVENT_AT,
    has_reviewers,
    is_labelled_by_log,
    label_of,
    read_rows,
    training_of,
    value_of,
)
from include.learning.data.labels import (
    labels_as_of,
    read_answers,
    require_every_class,
    say_merged_classes,
    say_undecided,
    settle_answers,
)
from include.learning.data.leakage_checks import require_one_label_each
from include.learning.data.splits import split_by_time
from include.learning.errors import BadFeatures, BadLabels, error_context
from include.learning.evaluation import benchmark
from include.learning.evaluation.benchmark import CurveRow, MetricRow
from include.learning.registry import artifacts, versions
from include.learning.registry.version_hash import name_version
from include.learning.registry.version_names import seed_of
from include.learning.training.fit import Fitted, fit_by_folds, fit_by_time
from include.names import ROW_KEY, Stage, events_table
from include.problems.decision_policy import Policy, earning_policy
from include.problems.schema import Problem
from include.problems.sections.learning import Label, Training
from include.settings import read_settings
from include.warehouse.coverage import done_partitions, settled_prefix
from include.warehouse.database import open_warehouse

log = logging.getLogger(__name__)


def fit_points(problem: Problem, points: Sequence[str], fit: Callable[[Problem, str], FittedVersion]) -> FittedVersions:
    """Fit training points, oldest first; one that cannot be fitted is passed over, and the next version's card says so.

    Where a person approves, one version at a time: the next one is judged against it.

    Returns:
        what was fitted; nothing where the log has too few labels for any of them, which more data mends.

    Raises:
        NotEnoughLabels: nothing could be fitted, and people give the labels.
        BadFeatures, BadLabels: nothing could be fitted, and more data would not mend it.
    """
    fitted: list[FittedVersion] = []
    refusals: list[NotEnoughLabels | BadFeatures | BadLabels] = []
    for point in points:
        try:
            with error_context(problem.name, f"training point {point}"):
                fitted.append(fit(problem, point))
        except (NotEnoughLabels, BadFeatures, BadLabels) as error:
            log.warning("%s", error)
            refusals.append(error)
        if fitted and training_of(problem).approval == "required":
            break
    faults = [error for error in refusals if not isinstance(error, NotEnoughLabels)]
    if refusals and not fitted and (faults or not is_labelled_by_log(problem)):
        raise (faults or refusals)[0]
    reason = " ".join(map(str, refusals))
    names = tuple(version.model_version for version in fitted)
    if names:
        with open_warehouse().begin() as connection:
            newest = {"problem": problem.name, "model_version": names[-1]}
            versions.save_notes(connection, newest, {"passed_over": reason})
    return FittedVersions(names, sum(version.n_rows for version in fitted), reason)


def fit_on_log(problem: Problem, point: str) -> FittedVersion:
    """Fit the model of one training point on what the log knew then.

    Raises:
        NotInLake: the point is not in the lake, or a partition before it is missing.
        BadLabels: a row has no label, or more than one.
        NotEnoughLabels: one class has too few of them.
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
    rows = leave_out_young(rows, label_of(problem))
    require_one_label_each(rows, IS_POSITIVE)
    training = training_of(problem)
    fitted = _fit_log_rows(rows, partitions, training)
    told = {"classes": say_merged_classes(label_of(problem)), "joined": say_missing(problem, rows)}
    return _register(
        problem, fitted, rows, point, told, trained_through=point, snapshot=snapshot, as_of=as_of, logs=logs
    )


def _fit_log_rows(rows: pd.DataFrame, partitions: Sequence[str], training: Training) -> Fitted:
    """Fit on the log's rows as the file splits them: by time, or in folds where they have no order in time.

    Raises:
        NotEnoughLabels: one class has too few labels, or fewer than 3 partitions are to be split by time.
        BadFeatures: from the fit.
    """
    if training.split == "folds":
        # Nobody chose these rows by uncertainty, so there is no curve of random labels beside one of all.
        return replace(fit_by_folds(rows, training), heldout_random_only=None)
    return fit_by_time(rows, split_by_time(partitions, training.every), training)


def fit_on_answers(problem: Problem, point: str) -> FittedVersion:
    """Fit the model of one round on what people have answered up to it."""
    with open_warehouse().connect() as connection:
        answers = read_answers(connection, problem.name, point)
        as_of = labels_as_of(connection, problem.name, point)
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    settled = settle_answers(answers, label_of(problem))
    require_every_class(settled, label_of(problem))
    snapshot = current_snapshot(events_table(problem.name))
    logs = read_log_states(problem)
    rows = join_answers(problem, settled, partitions, snapshot, logs)
    fitted = fit_by_folds(rows, training_of(problem))
    told = {"undecided": say_undecided(answers, settled), "classes": say_merged_classes(label_of(problem))}
    through = partitions[-1]
    return _register(
        problem, fitted, rows, point, told, trained_through=through, snapshot=snapshot, as_of=as_of, logs=logs
    )


def join_answers(
    problem: Problem,
    settled: pd.DataFrame,
    partitions: Sequence[str],
    snapshot: str,
    logs: Mapping[str, LogState] | None = None,
) -> pd.DataFrame:
    """Read the rows that people have answered, each once, with what they said, in the order of their keys.

    Args:
        logs: how far each of the problem's other logs is known; as they stand now without it.
    """
    rows = read_rows(problem, partitions, snapshot_id=snapshot, row_keys=settled["item_id"].tolist(), logs=logs)
    # A label whose row was erased or withdrawn since has nothing to teach from; the join leaves it out.
    settled = settled.rename(columns={"item_id": ROW_KEY, "is_positive": IS_POSITIVE, "is_random": IS_RANDOM})
    # An item that lies in two partitions was shown once, in the earlier one; twice, it would be measured on itself.
    rows = rows.drop_duplicates(ROW_KEY).merge(settled, on=ROW_KEY).sort_values(ROW_KEY, ignore_index=True)
    rows[BLOCK] = range(len(rows))  # items were chosen one by one; which of them hang together the fit finds out
    return rows


def say_missing(problem: Problem, rows: pd.DataFrame) -> str:
    """Say of how many rows nothing could be joined: no key, nothing before the event, or nothing known of it.

    Args:
        rows: with the columns that the model reads.

    Returns:
        a sentence for each lag and each column that is looked up; empty where nothing is missing.
    """
    joined = [name for name in problem.columns if name not in problem.source.stored and name in rows.columns]
    counts = {name: int(rows[name].isna().sum()) for name in joined}
    return " ".join(f"{n:,} of {len(rows):,} rows have no {name}." for name, n in counts.items() if n)


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
    told: Mapping[str, str],
    *,
    trained_through: str,
    snapshot: str,
    as_of: datetime,
    logs: Mapping[str, LogState] | None = None,
) -> FittedVersion:
    """Store a fitted model and what is known about it; return the name of the version and its rows.

    Args:
        told: topic to what must be known about the labels; an empty sentence is none.
        logs: the problem's other logs as they were read.
    """
    training = training_of(problem)
    version = name_version(point, rows, training)
    folder = versions.models_folder(read_settings(), problem.name)
    path, digest = artifacts.save_model(folder, artifacts.StoredModel(fitted.model, fitted.spec, version))
    heldout_digest = artifacts.save_heldout(folder, version, fitted.heldout)
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
        versions.save_version(connection, row, metrics, curve)
        versions.save_choices(
            connection, row, [asdict(choice) for choice in fitted.choices], [asdict(term) for term in fitted.scorecard]
        )
        versions.save_logs(connection, row, {log: state.to_row() for log, state in (logs or {}).items()})
        versions.save_notes(connection, row, {**told, "left_out": " ".join(fitted.left_out), "refit": fitted.refit})
    artifacts.sweep_version(folder, version, keep=path, heldout_sha256=heldout_digest)
    return FittedVersion(version, len(rows))


def _describe(fitted: Fitted, policy: Policy) -> dict[str, object]:
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


def _measure(problem: Problem, fitted: Fitted, version: str, policy: Policy) -> tuple[list[MetricRow], list[CurveRow]]:
    """Measure all candidates on the held-out rows; return metrics, and points on the learning curve."""
    value = value_of(problem)
    seed = seed_of(version, training_of(problem).seed)
    resamples = benchmark.resample_heldout(fitted.heldout, np.random.default_rng(seed))
    is_positive = fitted.heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    metrics: list[MetricRow] = []
    candidates = benchmark.make_candidates(fitted.heldout, problem, value, policy, fitted.chosen.candidate)
    for candidate in candidates.values():
        metrics += benchmark.measure_candidate(candidate, is_positive, resamples)
    curve: list[CurveRow] = []
    if fitted.heldout_random_only is not None:
        heldout = {"all": fitted.heldout, "random": fitted.heldout_random_only}
        n_labels = {"all": fitted.n_train, "random": fitted.n_random}
        curve = benchmark.learning_curve(heldout, n_labels, np.random.default_rng(seed))
    return metrics, curve
