"""Finds labels of several classes that are probably wrong, among those that a version was measured on.

A store file around `label_errors/confident_learning.py`. Of several labels each is examined by itself.
"""

from collections.abc import Collection
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from include.learning.data.columns import LABELS
from include.learning.data.dataset import label_of
from include.learning.label_errors.confident_learning import find_suspects
from include.learning.protocols import Probabilities
from include.learning.registry import artifacts, versions
from include.learning.several.heldout import MODEL_COLUMN, table_of, targets_in
from include.learning.several.targets import Targets
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.answer_text import write_labels
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import Outcome
from include.warehouse.tables.explaining import SUSPECTED_LABEL

TOPIC = "labels"

Row = dict[str, object]


def suspect_labels(problem: Problem, version: str) -> Outcome:
    """Find labels that a model, fitted without them, is sure are wrong; finding again replaces them.

    Only labels chosen by chance were asked about out of fold, so only they are examined.

    Returns:
        model_version, n_rows (labels that are suspected), reason (how many were examined).
    """
    where = {"problem": problem.name, "model_version": version}
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    heldout = artifacts.load_heldout(versions.models_folder(read_settings(), problem.name), row)
    label = label_of(problem)
    targets = targets_in(heldout, label.classes, is_multiple=label.multiple)
    found = find_suspected(targets, table_of(heldout, MODEL_COLUMN, label.classes))
    rows = _write_down(found, heldout, label)
    note = f"{len(rows)} of {len(heldout):,} labels chosen by chance are suspected by a model fitted without them."
    with open_warehouse().begin() as connection:
        replace_rows(connection, SUSPECTED_LABEL, where, [where | one for one in rows])
        versions.save_notes(connection, row, {TOPIC: note})
    return {"model_version": version, "n_rows": len(rows), "reason": note}


def find_suspected(targets: Targets, p: Probabilities) -> list[tuple[int, tuple[str, ...], float]]:
    """Name the rows whose label is suspected, the most suspicious first.

    Args:
        p: shape (n_rows, n_classes), from models that were not shown the rows' labels.

    Returns:
        place of a row, the labels that it should have, and what the model gives those that it has (0..1; of several
        labels the least of those that are suspected).
    """
    if not targets.is_multiple:
        found = find_suspects(targets.codes, p)
        return [
            (int(place), (targets.classes[int(other)],), float(given))
            for place, other, given in zip(found.rows, found.suggested, found.given_probability, strict=True)
        ]
    flags, given = targets.flags.copy(), np.ones(len(p))
    for place in range(p.shape[1]):
        own = np.column_stack([1 - p[:, place], p[:, place]])
        found = find_suspects(targets.flags[:, place].astype(np.int64), own)
        flags[found.rows, place] = ~flags[found.rows, place]
        given[found.rows] = np.minimum(given[found.rows], found.given_probability)
    suspected = np.flatnonzero((flags != targets.flags).any(axis=1))
    return [
        (
            int(place),
            tuple(name for name, is_on in zip(targets.classes, flags[place], strict=True) if is_on),
            float(given[place]),
        )
        for place in suspected[np.argsort(given[suspected], kind="stable")]
    ]


def _write_down(found: list[tuple[int, tuple[str, ...], float]], heldout: pd.DataFrame, label: Label) -> list[Row]:
    """Name the suspects, what people said of them, and what the model says."""
    now = datetime.now(UTC)

    def text(labels: str | Collection[str]) -> str:
        return labels if isinstance(labels, str) else write_labels(list(map(str, labels)), label.classes)

    return [
        {
            "item_id": str(heldout[ROW_KEY].iloc[place]),
            "partition_key": str(heldout[PARTITION_KEY].iloc[place]),
            "rank": rank,
            "given_label": text(heldout[LABELS].iloc[place]),
            "suggested_label": text(list(suggested) if label.multiple else suggested[0]),
            "given_ratio": given,
            "n_examined": len(heldout),
            "found_at_utc": now,
        }
        for rank, (place, suggested, given) in enumerate(found, start=1)
    ]
