"""Turns rows and a model into predictions, shaped as the lake keeps them.

What belongs here: frames in, an Arrow table out. What does not: reading and writing.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.columns import IS_KNOWN, IS_POSITIVE
from include.learning.features import build_features
from include.learning.metrics import require_probabilities
from include.learning.models import positive_probability
from include.learning.storing import StoredModel
from include.learning.training import N_THREADS
from include.names import PARTITION_KEY, ROW_KEY

SCHEMA = pa.schema(
    [
        (PARTITION_KEY, pa.string()),
        (ROW_KEY, pa.string()),
        ("model_version", pa.string()),
        ("p_positive", pa.float64()),
        ("label_known", pa.bool_()),
        ("is_positive", pa.bool_()),
    ]
)


def predict_rows(stored: StoredModel, rows: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Give each row its probability of the positive class.

    Args:
        rows: typed rows with the columns of the model's features.

    Returns:
        shape (n_rows,), 0..1.

    Raises:
        BadFeatures: from `features.py`.
        BadProbabilities: the model gave something else.
    """
    with threadpool_limits(N_THREADS):
        p = positive_probability(stored.model, build_features(rows, stored.spec))
    require_probabilities(p)
    return p


def make_predictions(stored: StoredModel, rows: pd.DataFrame) -> pa.Table:
    """Make the prediction rows of some event rows.

    Args:
        rows: with the model's features, _partition_key and _row_key; where the log knows labels also _is_known and
            _is_positive.

    Returns:
        one row for each, columns of `SCHEMA`; `is_positive` is null where the label is not known.
    """
    n_rows = len(rows)
    is_known = rows[IS_KNOWN].to_numpy(dtype=np.bool_) if IS_KNOWN in rows else np.zeros(n_rows, dtype=np.bool_)
    outcome = rows[IS_POSITIVE].to_numpy(dtype=np.bool_) if IS_POSITIVE in rows else is_known
    columns = [
        pa.array(rows[PARTITION_KEY].astype("object"), pa.string()),
        pa.array(rows[ROW_KEY].astype("object"), pa.string()),
        pa.array([stored.model_version] * n_rows, pa.string()),
        pa.array(predict_rows(stored, rows), pa.float64()),
        pa.array(is_known, pa.bool_()),
        pa.array(outcome, pa.bool_(), mask=~is_known),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
