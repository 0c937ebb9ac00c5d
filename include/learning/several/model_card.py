"""Describes one version of several classes or labels: what matters to it, on rows it was not fitted on.

A store file. Contributions to single rows, groups and weak spots are questions about one class; they are not asked.
"""

import numpy as np
import pandas as pd

from include.learning.data.dataset import label_of, training_of
from include.learning.data.features import build_features
from include.learning.evaluation.benchmark import resample_heldout
from include.learning.evaluation.heldout import read_heldout_rows
from include.learning.explain import model_card_rows
from include.learning.metrics import estimate_mean
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.registry.version_names import seed_of
from include.learning.several.heldout import targets_in
from include.learning.several.predict import predict_table
from include.learning.several.targets import Targets, row_surprise
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import FEATURE_IMPORTANCE, FEATURE_RANGE, MODEL_NOTE

MAX_ROWS = 1_500  # asked about importance; the intervals say what that leaves open
N_SHUFFLES = 3

Row = dict[str, object]


def describe(problem: Problem, version: str) -> int:
    """Describe one version; describing it again replaces what was written.

    Returns:
        held-out rows looked at.

    Raises:
        TamperedModel: the stored model is not the registered one.
    """
    folder = versions.models_folder(read_settings(), problem.name)
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    stored, heldout = artifacts.load_registered(folder, row), artifacts.load_heldout(folder, row)
    rng = np.random.default_rng(seed_of(version, training_of(problem).seed))
    if len(heldout) > MAX_ROWS:
        heldout = heldout.iloc[np.sort(rng.choice(len(heldout), MAX_ROWS, replace=False))].reset_index(drop=True)
    rows = read_heldout_rows(problem, row, heldout, stored.spec)
    label = label_of(problem)
    targets = targets_in(heldout, label.classes, is_multiple=label.multiple)
    ranked = rank_features(stored, build_features(rows, stored.spec), heldout, targets, rng)
    where = {"problem": problem.name, "model_version": version}
    note = (
        f"Importance is what the log loss over all {len(label.classes)} classes rises by when a feature's values are "
        f"shuffled, on {len(heldout):,} held-out rows."
    )
    with open_warehouse().begin() as connection:
        replace_rows(connection, FEATURE_IMPORTANCE, where, [where | one for one in ranked])
        ranges = model_card_rows.feature_ranges(rows, stored.spec)
        replace_rows(connection, FEATURE_RANGE, where, [where | one for one in ranges])
        about = where | {"topic": "rows"}
        replace_rows(connection, MODEL_NOTE, about, [about | {"note": note}])
    return len(heldout)


def rank_features(
    stored: StoredModel, frame: pd.DataFrame, heldout: pd.DataFrame, targets: Targets, rng: np.random.Generator
) -> list[Row]:
    """Say how much log loss each feature is good for, the most important first.

    Args:
        frame: feature frame of the held-out rows; all text is one feature.

    Returns:
        rows of `core.feature_importance` without their keys.

    Source: Breiman 2001, Random forests, section 10; on held-out rows, Fisher, Rudin and Dominici 2019.
    """
    usual = row_surprise(targets, predict_table(stored, frame, targets.classes, is_built=True))
    resamples = resample_heldout(heldout, rng)
    found = []
    for name in frame.columns:
        lost = np.zeros(len(frame))
        for _ in range(N_SHUFFLES):
            order = rng.permutation(len(frame))
            shuffled = frame.assign(**{str(name): frame[name].iloc[order].set_axis(frame.index)})
            p = predict_table(stored, shuffled, targets.classes, is_built=True)
            lost += (row_surprise(targets, p) - usual) / N_SHUFFLES
        found.append((str(name), estimate_mean(lost, resamples)))
    ranks = pd.Series([-one.value for _, one in found]).rank(method="average")
    return [
        {
            "method": "permutation",
            "feature": name,
            "rank": float(rank),
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n_rows": len(frame),
        }
        for (name, one), rank in sorted(zip(found, ranks, strict=True), key=lambda pair: pair[1])
    ]
