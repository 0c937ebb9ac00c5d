"""Describes one fitted version, and writes down what was seen: for the model card and for what-if questions.

A store file around `explain/model_card_rows.py`. Nothing waits for it: a model serves whether it was described or not.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table, select
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.data.columns import BLOCK, IS_POSITIVE
from include.learning.data.dataset import is_labelled_by_log, training_of
from include.learning.evaluation.heldout import read_heldout_rows
from include.learning.explain import model_card_rows
from include.learning.explain.model_card_rows import Material
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.registry.version_names import seed_of
from include.learning.training.fit import N_THREADS
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import (
    FAIRNESS_METRIC,
    FEATURE_IMPORTANCE,
    FEATURE_RANGE,
    HELDOUT_BIN,
    MODEL_NOTE,
    PARTIAL_DEPENDENCE,
    WEAK_SEGMENT,
)

MAX_ROWS = 1_500  # asked about importance; the intervals say what that leaves open

TOPICS = ("importance", "ablation", "contributions", "rows", "segments")

Row = dict[str, Any]


def describe(problem: Problem, version: str) -> int:
    """Describe one version; describing it again replaces what was written.

    Returns:
        held-out rows looked at.
    """
    folder = versions.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    stored, heldout = artifacts.load_registered(folder, row), artifacts.load_heldout(folder, row)
    rows = read_heldout_rows(problem, row, heldout, stored.spec)
    seed = seed_of(version, training_of(problem).seed)
    with threadpool_limits(N_THREADS):
        found = _describe_heldout(row, stored, heldout, rows, seed)
    notes = [*found.pop(MODEL_NOTE), _how_measured(problem, row)]
    where = {"problem": problem.name, "model_version": version}
    with open_warehouse().begin() as connection:
        for table, own in found.items():
            replace_rows(connection, table, where, [where | one for one in own])
        for topic in TOPICS:
            about = where | {"topic": topic}
            replace_rows(connection, MODEL_NOTE, about, [where | note for note in notes if note["topic"] == topic])
    return len(heldout)


def _describe_heldout(
    row: versions.Row, stored: StoredModel, heldout: pd.DataFrame, rows: pd.DataFrame, seed: list[int]
) -> dict[Table, list[Row]]:
    """Say all that held-out rows say about a version."""
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    p = heldout["p_model"].to_numpy(dtype=np.float64)
    places = _sample(len(heldout), np.random.default_rng(seed))
    material = Material(
        stored.model,
        stored.spec,
        rows.iloc[places].reset_index(drop=True),
        is_positive[places],
        heldout[BLOCK].to_numpy(dtype=np.int64)[places],
        seed,
    )
    ranked, notes = model_card_rows.rank_features(material)
    segments, more = model_card_rows.weak_segments(rows, stored.spec, heldout)
    return {
        HELDOUT_BIN: model_card_rows.reliability_bins(is_positive, p),
        FEATURE_IMPORTANCE: ranked,
        PARTIAL_DEPENDENCE: model_card_rows.curves(material),
        # At the threshold even where people are asked: what they decide of the rows around it is not the model's doing.
        FAIRNESS_METRIC: model_card_rows.groups(heldout, row["threshold_ratio"], is_positive),
        WEAK_SEGMENT: segments,
        FEATURE_RANGE: model_card_rows.feature_ranges(rows, stored.spec),
        MODEL_NOTE: notes + more,
    }


def _sample(n_rows: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose the rows that are asked about importance, in their order."""
    if n_rows <= MAX_ROWS:
        return np.arange(n_rows, dtype=np.intp)
    return np.sort(rng.choice(n_rows, MAX_ROWS, replace=False)).astype(np.intp)


def _how_measured(problem: Problem, row: versions.Row) -> Row:
    """Say on which rows importance was measured."""
    where = "Importance was measured on rows later than all that the model was fitted on"
    if not is_labelled_by_log(problem) or training_of(problem).split == "folds":
        where = (
            "Rows were few or have no order in time, so permutation and contributions were measured on rows that the "
            "model was fitted on too"
        )
    elif _is_refitted(row):
        where = (
            "Permutation and contributions were measured on the newest rows, which the model was at last fitted on too"
        )
    halves = "ablation fits on one half of these rows and measures on the other"
    return {"topic": "rows", "note": f"{where}; {halves}."}


def _is_refitted(row: versions.Row) -> bool:
    """Say whether a version was fitted once more on all rows: not every one is whose file asks for it."""
    query = select(MODEL_NOTE.c.note).where(
        MODEL_NOTE.c.problem == row["problem"],
        MODEL_NOTE.c.model_version == row["model_version"],
        MODEL_NOTE.c.topic == "refit",
    )
    with open_warehouse().connect() as connection:
        return connection.scalar(query) is not None
