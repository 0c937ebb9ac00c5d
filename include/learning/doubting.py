"""Finds labels of people that are probably wrong, and puts them where the review room looks for what to ask again.

A store file around `confident_learning.py`. Nothing here changes a label.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import NotEnoughLabels
from include.learning import candidates, registry
from include.learning.calibration_of_models import N_FOLDS
from include.learning.columns import IS_POSITIVE
from include.learning.confident_learning import Suspects, find_suspects
from include.learning.fitting import join_answers
from include.learning.grouping import group_rows
from include.learning.labels import read_answers, settle_answers
from include.learning.rows import label_of, training_of
from include.learning.splitting import assign_folds
from include.learning.training import N_THREADS
from include.learning.versions import point_of
from include.names import PARTITION_KEY, ROW_KEY, Stage
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import MODEL_NOTE, SUSPECTED_LABEL

TOPIC = "labels"

Row = dict[str, Any]


def suspect_labels(problem: Problem, version: str) -> dict[str, Any]:
    """Find labels of people that a model, fitted without them, is sure are wrong; finding again replaces them.

    Returns:
        model_version, n_rows (labels that are suspected), reason (how many were examined, or why none was).
    """
    where = {"problem": problem.name, "model_version": version}
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
    with threadpool_limits(N_THREADS):
        suspected, note = _find_doubtful(problem, row)
    about = where | {"topic": TOPIC}
    with open_warehouse().begin() as connection:
        replace_rows(connection, SUSPECTED_LABEL, where, [where | one for one in suspected])
        replace_rows(connection, MODEL_NOTE, about, [about | {"note": note}])
    return {"model_version": version, "n_rows": len(suspected), "reason": note}


def _find_doubtful(problem: Problem, row: registry.Row) -> tuple[list[Row], str]:
    """Give the suspected labels of one version, and a note on how they were examined."""
    version, label, training = str(row["model_version"]), label_of(problem), training_of(problem)
    with open_warehouse().connect() as connection:
        answers = read_answers(connection, problem.name, point_of(version))
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    rows = join_answers(problem, settle_answers(answers, label), partitions, str(row["snapshot_id"]))
    is_positive = rows[IS_POSITIVE].to_numpy(dtype=np.bool_)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    every = np.ones(len(rows), dtype=np.bool_)
    try:
        folds = assign_folds(is_positive, every, N_FOLDS, training.seed, groups)
    except NotEnoughLabels as error:
        return [], f"No label was examined. {error}"
    encoding = candidates.encode(row["model_name"], rows, training)
    settings = dict((row["parameters"] or {}).get("found") or {})
    p = candidates.score_out_of_fold(encoding, folds, groups, training, settings)
    found = find_suspects(is_positive.astype(np.int64), np.column_stack([1 - p, p]))
    suspected = _write_down(found, rows, is_positive, label)
    note = f"{len(suspected)} of {len(rows):,} labels are doubted by a model that was fitted without them."
    return suspected, note


def _write_down(found: Suspects, rows: pd.DataFrame, is_positive: NDArray[np.bool_], label: Label) -> list[Row]:
    """Name the suspects and their classes."""
    other = next((name for name in label.classes if name != label.positive), "")
    names, now = (other, label.positive), datetime.now(UTC)
    return [
        {
            "item_id": str(rows[ROW_KEY].iloc[place]),
            "partition_key": str(rows[PARTITION_KEY].iloc[place]),
            "rank": rank,
            "given_label": names[int(is_positive[place])],
            "suggested_label": names[int(suggested)],
            "given_ratio": float(given),
            "n_examined": len(rows),
            "found_at_utc": now,
        }
        for rank, (place, suggested, given) in enumerate(
            zip(found.rows, found.suggested, found.given_probability, strict=True), start=1
        )
    ]
