"""Scores partitions by a model of a quantity, and fills in what is not known.

A store file around `predict.py`: predictions lie in the lake, the numbers that they fill in in the warehouse.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert

from include.engine.batch_functions import BatchFunction
from include.lake.reading import open_rows
from include.learning.data.dataset import label_of
from include.learning.data.features import FeatureSpec
from include.learning.quantity.newest_offsets import offsets_before
from include.learning.quantity.predict import SCHEMA, QuantityScorer
from include.learning.registry import artifacts, versions
from include.learning.scoring.score_partitions import Output, score_partitions
from include.names import PARTITION_KEY, ROW_KEY, predictions_table
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.classes import FILLED_LABEL

ROWS_AT_ONCE = 5_000
DIGITS = 6  # of a number that people read as a label


def score(problem: Problem, version: str, partition_key: str) -> int:
    """Give every row of one partition its number, interval and plan, and fill in what is not known.

    Returns:
        rows scored.

    Raises:
        TamperedModel: the stored model is not the registered one.
        BadFeatures: the partition lacks a feature, or holds infinite values.
    """

    def make(problem: Problem, row: versions.Row) -> tuple[BatchFunction, FeatureSpec]:
        folder = versions.models_folder(read_settings(), problem.name)
        stored = artifacts.load_registered(folder, row)
        offsets = offsets_before(problem, stored, [partition_key])
        return QuantityScorer(folder, row, offsets), stored.spec

    n_rows = score_partitions(problem, version, [partition_key], Output(make, SCHEMA))
    fill_numbers(problem, version, [partition_key])
    return n_rows


def fill_numbers(problem: Problem, version: str, partitions: Sequence[str]) -> int:
    """Write the number of each row whose number is not known, with the interval that it lies in.

    Returns:
        rows filled in.
    """
    quantity, now = label_of(problem).quantity, datetime.now(UTC)
    scored = open_rows(predictions_table(problem.name), partitions)
    table = scored.filter(~scored["label_known"]).order_by(PARTITION_KEY, ROW_KEY).to_pyarrow()
    rows = [
        {
            "problem": problem.name,
            "partition_key": one[PARTITION_KEY],
            "item_id": one[ROW_KEY],
            "model_version": version,
            "label": f"{one['predicted']:.{DIGITS}g}",
            "confidence_ratio": quantity.interval if quantity else None,
            "action": f"{one['action']:.{DIGITS}g}",
            "class_probabilities": None,
            "low": one["low"],
            "high": one["high"],
            "unit": quantity.unit if quantity else None,
            "filled_at_utc": now,
        }
        for one in table.to_pylist()
    ]
    with open_warehouse().begin() as connection:
        ours = (FILLED_LABEL.c.problem == problem.name, is_one_of(FILLED_LABEL.c.partition_key, partitions))
        connection.execute(delete(FILLED_LABEL).where(*ours))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            connection.execute(insert(FILLED_LABEL), rows[start : start + ROWS_AT_ONCE])
    return len(rows)
