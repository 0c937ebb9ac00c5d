"""Describes one fitted version, and writes down what was seen: for the model card and for what-if questions.

A store file around `descriptions.py`. Nothing waits for it: a model serves whether it was described or not.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Table
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning import descriptions, evaluating, registry, storing
from include.learning.columns import BLOCK, IS_POSITIVE
from include.learning.descriptions import Material
from include.learning.heldout import read_heldout_rows
from include.learning.rows import is_labelled_by_log, training_of
from include.learning.storing import StoredModel
from include.learning.training import N_THREADS
from include.learning.versions import seed_of
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

TOPICS = ("importance", "ablation", "contributions", "rows")

Row = dict[str, Any]


def describe(problem: Problem, version: str) -> dict[str, Any]:
    """Describe one version; describing it again replaces what was written.

    Returns:
        model_version, n_rows (held-out rows looked at).
    """
    folder = registry.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
    stored, heldout = storing.load_registered(folder, row), storing.load_heldout(folder, row)
    rows = read_heldout_rows(problem, row, heldout, stored.spec)
    seed = seed_of(version, training_of(problem).seed)
    with threadpool_limits(N_THREADS):
        found = _describe_heldout(row, stored, heldout, rows, seed)
    notes = [*found.pop(MODEL_NOTE), _how_measured(problem)]
    where = {"problem": problem.name, "model_version": version}
    with open_warehouse().begin() as connection:
        for table, own in found.items():
            replace_rows(connection, table, where, [where | one for one in own])
        for topic in TOPICS:
            about = where | {"topic": topic}
            replace_rows(connection, MODEL_NOTE, about, [where | note for note in notes if note["topic"] == topic])
    return {"model_version": version, "n_rows": len(heldout)}


def _describe_heldout(
    row: registry.Row, stored: StoredModel, heldout: pd.DataFrame, rows: pd.DataFrame, seed: list[int]
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
    ranked, notes = descriptions.rank_features(material)
    weights = evaluating.bootstrap_weights(heldout, np.random.default_rng([*seed, 3]))
    return {
        HELDOUT_BIN: descriptions.reliability_bins(is_positive, p),
        FEATURE_IMPORTANCE: ranked,
        PARTIAL_DEPENDENCE: descriptions.curves(material),
        # At the threshold even where people are asked: what they decide of the rows around it is not the model's doing.
        FAIRNESS_METRIC: descriptions.groups(heldout, row["threshold_ratio"], is_positive, weights),
        WEAK_SEGMENT: descriptions.weak_segments(rows, stored.spec, is_positive, p),
        FEATURE_RANGE: descriptions.feature_ranges(rows, stored.spec),
        MODEL_NOTE: notes,
    }


def _sample(n_rows: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose the rows that are asked about importance, in their order."""
    if n_rows <= MAX_ROWS:
        return np.arange(n_rows, dtype=np.intp)
    return np.sort(rng.choice(n_rows, MAX_ROWS, replace=False)).astype(np.intp)


def _how_measured(problem: Problem) -> Row:
    """Say on which rows importance was measured."""
    later = "Importance was measured on rows later than all that the model was fitted on"
    few = "Labels are few, so permutation and contributions were measured on rows that the model was fitted on too"
    halves = "ablation fits on one half of these rows and measures on the other"
    return {"topic": "rows", "note": f"{later if is_labelled_by_log(problem) else few}; {halves}."}
