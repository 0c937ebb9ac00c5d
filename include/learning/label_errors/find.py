"""Finds labels of people that are probably wrong, and puts them where the review room looks for what to ask again.

A store file around `label_errors/confident_learning.py`. Nothing here changes a label.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import NotEnoughLabels
from include.learning.calibration.selection import N_FOLDS
from include.learning.data.columns import IS_POSITIVE
from include.learning.data.dataset import label_of, training_of
from include.learning.data.labels import read_answers, settle_answers
from include.learning.data.near_duplicates import group_rows
from include.learning.data.splits import assign_folds
from include.learning.fit_version import join_answers
from include.learning.label_errors.confident_learning import Suspects, find_suspects
from include.learning.protocols import Flags
from include.learning.registry import versions
from include.learning.registry.version_names import point_of
from include.learning.training import candidates
from include.learning.training.fit import N_THREADS
from include.names import PARTITION_KEY, ROW_KEY, Arm, Stage
from include.partition_keys import sort_key
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from include.warehouse.tables.review import LABEL

TOPIC = "labels"

Row = dict[str, Any]


def suspect_labels(problem: Problem, version: str) -> dict[str, object]:
    """Find labels of people that a model, fitted without them, is sure are wrong; finding again replaces them.

    Returns:
        model_version, n_rows (labels that are suspected), reason (how many were examined, or why none was).
    """
    where = {"problem": problem.name, "model_version": version}
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    with threadpool_limits(N_THREADS):
        suspected, note = _find_doubtful(problem, row)
    with open_warehouse().begin() as connection:
        replace_rows(connection, SUSPECTED_LABEL, where, [where | one for one in suspected])
        versions.save_notes(connection, row, {TOPIC: note})
    return {"model_version": version, "n_rows": len(suspected), "reason": note}


def _find_doubtful(problem: Problem, row: versions.Row) -> tuple[list[Row], str]:
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
    suspected = _write_down(found, rows, is_positive, answers, label)
    note = f"{len(suspected)} of {len(rows):,} labels are suspected by a model that was fitted without them."
    return suspected, f"{note} {_say_what_asking_again_changed(problem.name, point_of(version))}".strip()


def _say_what_asking_again_changed(problem: str, through_batch: str) -> str:
    """Say how many of the suspected labels people changed when they were asked again; empty before that happened."""
    with open_warehouse().connect() as connection:
        given = select(SUSPECTED_LABEL.c.item_id, SUSPECTED_LABEL.c.given_label).where(
            SUSPECTED_LABEL.c.problem == problem
        )
        again = select(LABEL.c.item_id, LABEL.c.label, LABEL.c.batch_id).where(
            LABEL.c.problem == problem, LABEL.c.arm == Arm.RELABEL
        )
        suspected = {row.item_id: row.given_label for row in connection.execute(given)}
        answered = [row for row in connection.execute(again) if sort_key(row.batch_id) <= sort_key(through_batch)]
    told = {row.item_id: row.label for row in answered if row.item_id in suspected}
    n_changed = sum(label != suspected[item] for item, label in told.items())
    return f"Of {len(told)} that people were asked about again so far they changed {n_changed}." if told else ""


def _write_down(
    found: Suspects, rows: pd.DataFrame, is_positive: Flags, answers: pd.DataFrame, label: Label
) -> list[Row]:
    """Name the suspects, what people said of them, and what the model says.

    Of several classes on one side of the model it is the one that most people gave; which of them the model would
    give, it cannot say.
    """
    others = [name for name in label.classes if name != label.positive]
    suggested_names = (others[0] if len(others) == 1 else f"not {label.positive}", label.positive)
    votes = answers.assign(_side=answers["label"] == label.positive).groupby(["item_id", "_side", "label"]).size()
    said = votes.sort_values(ascending=False, kind="stable").reset_index().drop_duplicates(["item_id", "_side"])
    given_names = {(row.item_id, row.side): row.label for row in said.rename(columns={"_side": "side"}).itertuples()}
    now = datetime.now(UTC)
    return [
        {
            "item_id": str(rows[ROW_KEY].iloc[place]),
            "partition_key": str(rows[PARTITION_KEY].iloc[place]),
            "rank": rank,
            "given_label": given_names[rows[ROW_KEY].iloc[place], bool(is_positive[place])],
            "suggested_label": suggested_names[int(suggested)],
            "given_ratio": float(given),
            "n_examined": len(rows),
            "found_at_utc": now,
        }
        for rank, (place, suggested, given) in enumerate(
            zip(found.rows, found.suggested, found.given_probability, strict=True), start=1
        )
    ]
