"""Scores partitions by a model of several classes, and fills in what is not known.

A store file around `predict.py`: predictions lie in the lake, the labels that they fill in in the warehouse.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import delete, insert

from include.engine.batch_functions import BatchFunction
from include.lake.reading import open_rows
from include.learning import metrics
from include.learning.data.columns import IS_KNOWN, LABELS
from include.learning.data.dataset import has_reviewers, label_of, read_rows, value_of
from include.learning.data.features import FeatureSpec, build_features
from include.learning.protocols import Probabilities
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.scoring.score_partitions import Output
from include.learning.several.decisions import choose_labels, decisions_of
from include.learning.several.models import ClassesModel, score_classes, spread
from include.learning.several.predict import SCHEMA, ClassScorer, predict_table
from include.learning.several.targets import read_targets, row_surprise
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY, predictions_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.classes import FILLED_LABEL
from include.warehouse.tables.learning import CALIBRATION_GAIN

MAX_ROWS = 50_000  # a calibration error is exact to a few thousandths from so many rows
ROWS_AT_ONCE = 5_000


def output_of(problem: Problem) -> Output:
    """Say what the predictions of a problem with several classes or labels look like: a row for each class."""
    return Output(_make_scorer, SCHEMA, len(label_of(problem).classes))


def _make_scorer(problem: Problem, row: versions.Row) -> tuple[BatchFunction, FeatureSpec]:
    """Make what gives rows the probability of every class, and the action that pays."""
    label = label_of(problem)
    decisions = decisions_of(label, value_of(problem), has_reviewers=has_reviewers(problem))
    folder = versions.models_folder(read_settings(), problem.name)
    scorer = ClassScorer(folder, row, label.classes, decisions, is_multiple=label.multiple)
    return scorer, scorer.load().spec


def fill_labels(problem: Problem, version: str, partitions: Sequence[str]) -> int:
    """Write the likeliest label of each row whose label is not known, with how sure the model is.

    Returns:
        rows filled in.
    """
    label, now = label_of(problem), datetime.now(UTC)
    decisions = decisions_of(label, value_of(problem), has_reviewers=has_reviewers(problem))
    scored = open_rows(predictions_table(problem.name), partitions)
    table = scored.filter(~scored["label_known"]).order_by(PARTITION_KEY, ROW_KEY).to_pyarrow()
    place = {name: index for index, name in enumerate(label.classes)}
    found: dict[tuple[str, str, str], list[float]] = {}
    for one in table.to_pylist():
        own = found.setdefault((one[PARTITION_KEY], one[ROW_KEY], one["action"]), [0.0] * len(place))
        if one[CLASS_NAME] in place:
            own[place[one[CLASS_NAME]]] = one["p_positive"]
    rows = []
    for (partition, key, action), answers in found.items():
        p = np.array([answers])
        if label.multiple:
            is_on = choose_labels(p, decisions)[0]
            said = ", ".join(name for name, on in zip(label.classes, is_on, strict=True) if on)
            sure = float(np.where(is_on, p[0], 1 - p[0]).prod())
        else:
            said, sure = label.classes[int(p[0].argmax())], float(p[0].max())
        rows.append(
            {
                "problem": problem.name,
                "partition_key": partition,
                "item_id": key,
                "model_version": version,
                "label": said,
                "confidence_ratio": sure,
                "action": action,
                "class_probabilities": dict(zip(label.classes, answers, strict=True)),
                "filled_at_utc": now,
            }
        )
    with open_warehouse().begin() as connection:
        ours = (FILLED_LABEL.c.problem == problem.name, is_one_of(FILLED_LABEL.c.partition_key, partitions))
        connection.execute(delete(FILLED_LABEL).where(*ours))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            connection.execute(insert(FILLED_LABEL), rows[start : start + ROWS_AT_ONCE])
    return len(rows)


def record_effect(problem: Problem, version: str, partition_key: str) -> int:
    """Measure what calibration was good for on one scored partition, averaged over classes; none without labels.

    Returns:
        rows measured.
    """
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    stored = artifacts.load_registered(versions.models_folder(read_settings(), problem.name), row)
    label = label_of(problem)
    rows = read_rows(problem, [partition_key], spec=stored.spec, is_known_only=True)
    rows = rows.iloc[:: -(-len(rows) // MAX_ROWS) or 1]
    where = {"problem": problem.name, "partition_key": partition_key}
    found = []
    if IS_KNOWN in rows and len(rows):
        targets, is_usable = read_targets(rows[LABELS], label.classes, is_multiple=label.multiple)
        rows, targets = rows[is_usable], targets.where(is_usable)
        if len(rows):
            p, scores = predict_table(stored, rows, label.classes), ask_uncalibrated(stored, rows, label.classes)
            eces = [
                [metrics.ece(targets.flags[:, place], own[:, place]) for place in range(own.shape[1])]
                for own in (p, scores)
            ]
            found = [
                {
                    **where,
                    "model_version": version,
                    "n_rows": len(rows),
                    "ece_ratio": float(np.mean(eces[0])),
                    "ece_uncalibrated_ratio": float(np.mean(eces[1])),
                    "log_loss_nats": float(row_surprise(targets, p).mean()),
                    "log_loss_uncalibrated_nats": float(row_surprise(targets, scores).mean()),
                }
            ]
    with open_warehouse().begin() as connection:
        replace_rows(connection, CALIBRATION_GAIN, where, found)
    return len(rows) if found else 0


def ask_uncalibrated(stored: StoredModel, rows: pd.DataFrame, classes: Sequence[str]) -> Probabilities:
    """Ask a model without its calibrators: shape (n_rows, n_classes)."""
    frame, model = build_features(rows, stored.spec), stored.model[-1]
    if isinstance(model, ClassesModel):
        own = spread(score_classes(model.estimator, stored.model[0].transform(frame)), model.shares)
    else:
        own = np.column_stack(
            [
                np.full(len(frame), share)
                if one is None
                else one[-1].estimator.predict_proba(one[0].transform(frame[columns]))[:, 1]
                for one, share, columns in zip(model.models, model.shares, model.columns, strict=True)
            ]
        )
    place = {name: index for index, name in enumerate(model.classes)}
    return np.column_stack([own[:, place[name]] if name in place else np.zeros(len(own)) for name in classes])
