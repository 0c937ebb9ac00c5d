"""Reads the rows that were held out from a version, as they were when it was trained.

A store file; what the candidates said about them lies beside the model (`registry/artifacts.py`).
"""

import pandas as pd

from include.lake.reading import LogState
from include.learning.data.dataset import read_rows
from include.learning.data.features import FeatureSpec
from include.learning.registry import versions
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.warehouse.database import open_warehouse

MAX_KEYS_IN_A_FILTER = 1_000


def logs_of(row: versions.Row) -> dict[str, LogState]:
    """Say how far the problem's other logs were known when a version read them."""
    with open_warehouse().connect() as connection:
        rows = versions.read_logs(connection, row["problem"], row["model_version"])
    return {log: LogState.from_row(one) for log, one in rows.items()}


def read_heldout_rows(problem: Problem, row: versions.Row, heldout: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Read held-out rows as they were at training, with the features of one model, in the order of `heldout`."""
    partitions = sorted(heldout[PARTITION_KEY].unique())
    # A few hundred keys are a filter; tens of thousands are read whole and picked from.
    row_keys = heldout[ROW_KEY].tolist() if len(heldout) <= MAX_KEYS_IN_A_FILTER else None
    rows = read_rows(
        problem, partitions, snapshot_id=row["snapshot_id"], row_keys=row_keys, spec=spec, logs=logs_of(row)
    )
    place = [PARTITION_KEY, ROW_KEY]  # a key may lie in two partitions
    return rows.set_index(place).loc[pd.MultiIndex.from_frame(heldout[place])].reset_index()
