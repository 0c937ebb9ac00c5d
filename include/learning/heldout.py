"""Reads the rows that were held out from a version, as they were when it was trained.

A store file; what the candidates said about them lies beside the model (`storing.py`).
"""

import pandas as pd

from include.learning import registry
from include.learning.features import FeatureSpec
from include.learning.rows import read_rows
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem

MAX_KEYS_IN_A_FILTER = 1_000


def read_heldout_rows(problem: Problem, row: registry.Row, heldout: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Read held-out rows as they were at training, with the features of one model, in the order of `heldout`."""
    partitions = sorted(heldout[PARTITION_KEY].unique())
    # A few hundred keys are a filter; tens of thousands are read whole and picked from.
    row_keys = heldout[ROW_KEY].tolist() if len(heldout) <= MAX_KEYS_IN_A_FILTER else None
    rows = read_rows(problem, partitions, snapshot_id=row["snapshot_id"], row_keys=row_keys, spec=spec)
    place = [PARTITION_KEY, ROW_KEY]  # a key may lie in two partitions
    return rows.set_index(place).loc[pd.MultiIndex.from_frame(heldout[place])].reset_index()
