"""Scores partitions of the lake by a registered model, and replaces their predictions.

A store file around `scoring/predict.py`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from include.engine.batch_functions import BatchFunction
from include.errors import NotInLake
from include.lake.reading import open_rows
from include.lake.writing import replace_by_batches
from include.learning.data.dataset import open_scorable
from include.learning.data.features import FeatureSpec
from include.learning.registry import versions
from include.learning.scoring.predict import SCHEMA, Scorer
from include.names import PARTITION_KEY, predictions_table, ranking_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse

# Rows that are held at a time. Asking a model costs milliseconds of its own; texts are up to 4,000 characters each.
BATCH_ROWS = 131_072
BATCH_TEXTS = 8_192


@dataclass(frozen=True)
class Output:
    """What predictions look like, for one kind of label.

    Attributes:
        make: problem and row of the registry to what gives batches their predictions, and what its model reads.
        schema: of the predictions.
        n_each: predictions that one row has.
    """

    make: Callable[[Problem, versions.Row], tuple[BatchFunction, FeatureSpec]]
    schema: pa.Schema
    n_each: int = 1


def _make_scorer(problem: Problem, row: versions.Row) -> tuple[BatchFunction, FeatureSpec]:
    """Make what gives rows the probability of the positive class."""
    scorer = Scorer(versions.models_folder(read_settings(), problem.name), row)
    return scorer, scorer.load().spec


TWO_SIDES = Output(_make_scorer, SCHEMA)


def score_partitions(problem: Problem, version: str, partitions: Sequence[str], output: Output = TWO_SIDES) -> int:
    """Score partitions by one model, and replace their predictions in one commit; no partition is held as a whole.

    Args:
        output: what predictions look like.

    Returns:
        rows scored.
    """
    snapshot, n_rows, now = _score(problem, version, partitions, predictions_table(problem.name), output)
    scored = [
        {
            "problem": problem.name,
            "partition_key": key,
            "model_version": version,
            "n_rows": n_rows[key] // output.n_each,
            "snapshot_id": snapshot,
            "scored_at_utc": now,
        }
        for key in partitions
    ]
    with open_warehouse().begin() as connection:
        versions.record_scored(connection, scored)
    return n_rows.total() // output.n_each


def rank_partitions(problem: Problem, version: str, partitions: Sequence[str], output: Output = TWO_SIDES) -> int:
    """Score partitions by a model that does not serve, beside the predictions that do; what it has scored is kept.

    Args:
        output: what predictions look like.

    Returns:
        rows scored now.
    """
    name = ranking_table(problem.name)
    try:
        scored = open_rows(name, partitions)
        known = scored.filter(scored["model_version"] == version)[PARTITION_KEY].to_pyarrow().unique().to_pylist()
    except NotInLake:  # nothing was ever ranked beside
        known = []
    missing = [key for key in partitions if key not in known]
    return _score(problem, version, missing, name, output)[1].total() // output.n_each if missing else 0


def _score(
    problem: Problem, version: str, partitions: Sequence[str], table_name: str, output: Output
) -> tuple[str, Counter[str], datetime]:
    """Score partitions into a table of the lake; gives the snapshot, the rows of each partition, and when."""
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    scorer, spec = output.make(problem, row)
    now = datetime.now(UTC)  # before reading: rows published meanwhile make the predictions stale, not fresh
    snapshot, n_rows = replace_by_batches(
        table_name,
        partitions,
        open_scorable(problem, partitions, spec, now),
        scorer,
        output.schema,
        n_at_once=BATCH_TEXTS if spec.text else BATCH_ROWS,
        properties={"mulgil.model_version": version},
    )
    return snapshot, n_rows, now
