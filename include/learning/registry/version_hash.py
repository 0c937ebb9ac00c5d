"""Names a model version after what was fitted.

The same rows, labels and settings always give the same name; names sort by age within a problem.
"""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.learning.data.columns import IS_POSITIVE, IS_RANDOM
from include.names import ROW_KEY
from include.problems.sections.learning import Training

# Settings that judge a version or ask it something, and change nothing about it.
NOT_FITTED = {"gate", "approval", "approval_timeout", "changeable"}


def name_version(point: str, rows: pd.DataFrame, training: Training, label_column: str = IS_POSITIVE) -> str:
    """Name a version.

    Args:
        point: last partition that it has seen, or the round whose labels it has seen.
        rows: training rows in a fixed order.
        training: settings of the fit.
        label_column: what is known of the rows.
    """
    features = training.features
    columns = [ROW_KEY, label_column, IS_RANDOM, *features.numeric, *features.categorical, *features.text]
    columns += [training.group] if training.group else []
    digest = hashlib.sha256(json.dumps(training.model_dump(mode="json", exclude=NOT_FITTED), sort_keys=True).encode())
    for column in columns:
        digest.update(np.ascontiguousarray(pd.util.hash_array(_plain(rows[column]))).tobytes())
    return f"{point}-{digest.hexdigest()[:6]}"


def _plain(column: "pd.Series[Any]") -> NDArray[Any]:
    """Turn a column into what can be hashed whatever pandas holds it as: doubles, or text."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.astype("object").where(column.notna(), "").map(str).to_numpy(dtype=object)
