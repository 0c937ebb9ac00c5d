"""Says what a model's calibration was good for on rows that came later.

A store file. Measured when a partition has been scored, on its rows with known labels; the monitoring room asks whether
what was said happens, this file whether it would have happened more often without the calibrator.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning import metrics
from include.learning.calibration.calibrators import apply_map
from include.learning.data.columns import IS_KNOWN, IS_POSITIVE
from include.learning.data.dataset import read_rows
from include.learning.data.features import build_features
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.training.estimators import positive_probability
from include.learning.training.fit import N_THREADS
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.learning import CALIBRATION_GAIN

# A calibration error is exact to a few thousandths from so many rows; asking a model twice costs more.
MAX_ROWS = 50_000


def record_effect(problem: Problem, version: str, partition_key: str) -> int:
    """Measure one scored partition, and write it down; a partition without a known label has no row.

    Returns:
        rows measured.
    """
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    stored = artifacts.load_registered(versions.models_folder(read_settings(), problem.name), row)
    rows = read_rows(problem, [partition_key], spec=stored.spec, is_known_only=True)
    rows = rows.iloc[:: -(-len(rows) // MAX_ROWS) or 1]  # every so many-th: keys often follow time
    where = {"problem": problem.name, "partition_key": partition_key}
    found = []
    if IS_KNOWN in rows and len(rows):
        p, scores = ask_twice(stored, build_features(rows, stored.spec))
        gain = compare(rows[IS_POSITIVE].to_numpy(dtype=np.bool_), p, scores)
        found = [{**where, "model_version": version, "n_rows": len(rows), **gain}]
    with open_warehouse().begin() as connection:
        replace_rows(connection, CALIBRATION_GAIN, where, found)
    return len(rows) if found else 0


def ask_twice(stored: StoredModel, frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ask a model once with its calibrator and once without: two arrays of shape (n_rows,), 0..1."""
    encoder, calibrated = stored.model[0], stored.model[-1]
    with threadpool_limits(N_THREADS):
        scores = positive_probability(calibrated.estimator, encoder.transform(frame))
    return apply_map(calibrated.score_map, scores), scores


def compare(is_positive: NDArray[np.bool_], p: NDArray[np.float64], scores: NDArray[np.float64]) -> dict[str, float]:
    """Compare probabilities with the scores they were made from.

    Args:
        is_positive: shape (n_rows,), what happened.
        p: shape (n_rows,), after calibration.
        scores: shape (n_rows,), before it.

    Returns:
        the measures of `core.calibration_gain`.
    """
    return {
        "ece_ratio": metrics.ece(is_positive, p),
        "ece_uncalibrated_ratio": metrics.ece(is_positive, scores),
        "log_loss_nats": metrics.log_loss(is_positive, p),
        "log_loss_uncalibrated_nats": metrics.log_loss(is_positive, scores),
    }
