"""Scores partitions of the lake by a registered model, and replaces their predictions.

A store file around `scoring.py`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from include.lake.writing import replace_partitions
from include.learning import registry, storing
from include.learning.rows import read_rows
from include.learning.scoring import make_predictions
from include.names import PARTITION_KEY, predictions_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse


def score_partitions(problem: Problem, version: str, partitions: Sequence[str]) -> int:
    """Score partitions by one model, and replace their predictions in one commit."""
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
    stored = storing.load_registered(registry.models_folder(read_settings(), problem.name), row)
    now = datetime.now(UTC)  # before reading: rows published meanwhile make the predictions stale, not fresh
    predictions = make_predictions(stored, read_rows(problem, partitions, spec=stored.spec, known_at=now))
    snapshot = replace_partitions(
        predictions_table(problem.name), partitions, predictions, {"mulgil.model_version": version}
    )
    n_rows = Counter(predictions[PARTITION_KEY].to_pylist())
    scored = [
        {
            "problem": problem.name,
            "partition_key": key,
            "model_version": version,
            "n_rows": n_rows[key],
            "snapshot_id": snapshot,
            "scored_at_utc": now,
        }
        for key in partitions
    ]
    with open_warehouse().begin() as connection:
        registry.record_scored(connection, scored)
    return int(predictions.num_rows)
