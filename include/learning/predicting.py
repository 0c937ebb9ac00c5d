"""Scores partitions of the lake by a registered model, and replaces their predictions.

A store file around `scoring.py`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from include.lake.writing import replace_by_batches
from include.learning import registry
from include.learning.rows import open_scorable
from include.learning.scoring import SCHEMA, Scorer
from include.names import predictions_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse

# Rows that are held at a time. Asking a model costs milliseconds of its own; texts are up to 4,000 characters each.
BATCH_ROWS = 131_072
BATCH_TEXTS = 8_192


def score_partitions(problem: Problem, version: str, partitions: Sequence[str]) -> int:
    """Score partitions by one model, and replace their predictions in one commit; no partition is held as a whole.

    Returns:
        rows scored.
    """
    with open_warehouse().connect() as connection:
        row = registry.read_version(connection, problem.name, version)
    scorer = Scorer(registry.models_folder(read_settings(), problem.name), row)
    spec = scorer.load().spec
    now = datetime.now(UTC)  # before reading: rows published meanwhile make the predictions stale, not fresh
    snapshot, n_rows = replace_by_batches(
        predictions_table(problem.name),
        partitions,
        open_scorable(problem, partitions, spec, now),
        scorer,
        SCHEMA,
        n_at_once=BATCH_TEXTS if spec.text else BATCH_ROWS,
        properties={"mulgil.model_version": version},
    )
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
    return n_rows.total()
