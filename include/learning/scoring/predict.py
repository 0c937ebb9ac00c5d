"""Turns rows and a model into predictions, shaped as the lake keeps them.

What belongs here: rows in, predictions out. What does not: reading and writing.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.engine.batch_functions import read_ahead
from include.learning.data.columns import IS_KNOWN, IS_POSITIVE
from include.learning.data.features import FeatureSpec, build_features
from include.learning.registry import artifacts
from include.learning.registry.artifacts import StoredModel
from include.learning.training.estimators import positive_probability
from include.learning.training.fit import N_THREADS
from include.names import PARTITION_KEY, ROW_KEY
from include.stats.probabilities import require_probabilities

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


class Scorer:
    """A registered model on its way to the rows, wherever they are: each process that has some loads it once."""

    def __init__(self, folder: Path, row: Mapping[str, Any]) -> None:
        """Name the model; it is loaded where it is asked.

        Args:
            folder: the problem's folder of models; every process that has rows sees it.
            row: of the registry.
        """
        self.folder = folder
        self.named = tuple(str(row[name]) for name in ("model_version", "artifact_url", "artifact_sha256"))
        self.features = tuple(row["features"])

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give each batch of rows its predictions.

        Args:
            batches: from `rows.open_scorable`.

        Raises:
            TamperedModel: the file is not the one that was registered.
            BadFeatures, BadProbabilities: as `predict_rows`.
        """
        stored = self.load()
        # What the model sees of the next batch is put together while it is asked about this one.
        with_frames = read_ahead((batch, frame_of(batch, stored.spec)) for batch in batches)
        with threadpool_limits(N_THREADS):
            for batch, frame in with_frames:
                yield _predictions(stored, batch, frame)

    def load(self) -> StoredModel:
        """Load the model, if its bytes are the registered ones."""
        return _load(self.folder, self.named, self.features)


@lru_cache(maxsize=2)
def _load(folder: Path, named: tuple[str, ...], features: tuple[str, ...]) -> StoredModel:
    """Load a model once per process; its name holds its hash, so it never changes under its name."""
    version, url, sha256 = named
    row = {"model_version": version, "artifact_url": url, "artifact_sha256": sha256, "features": features}
    return artifacts.load_registered(folder, row)


def predict_rows(stored: StoredModel, rows: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Give each row its probability of the positive class.

    Args:
        rows: typed rows with the columns of the model's features.

    Returns:
        shape (n_rows,), 0..1.

    Raises:
        BadFeatures: from `data/features.py`.
        BadProbabilities: the model gave something else.
    """
    with threadpool_limits(N_THREADS):
        return _ask(stored, build_features(rows, stored.spec))


def make_predictions(stored: StoredModel, rows: pa.RecordBatch) -> pa.RecordBatch:
    """Make the prediction rows of some event rows.

    Args:
        rows: with the model's features, _partition_key and _row_key; where the log knows labels also _is_known and
            _is_positive.

    Returns:
        one row for each, columns of `SCHEMA`; `is_positive` is null where the label is not known.
    """
    return _predictions(stored, rows, frame_of(rows, stored.spec))


def _predictions(stored: StoredModel, rows: pa.RecordBatch, frame: pd.DataFrame) -> pa.RecordBatch:
    """Make the prediction rows of event rows whose features stand in a frame."""
    has_labels = IS_KNOWN in rows.schema.names
    is_known = rows[IS_KNOWN] if has_labels else pa.repeat(pa.scalar(False), rows.num_rows)
    unknown = pa.scalar(None, pa.bool_())
    columns = [
        rows[PARTITION_KEY].cast(pa.string()),
        rows[ROW_KEY].cast(pa.string()),
        pa.repeat(pa.scalar(stored.model_version), rows.num_rows),
        pa.array(_ask(stored, frame), pa.float64()),
        is_known,
        pc.if_else(is_known, rows[IS_POSITIVE] if has_labels else unknown, unknown),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def _ask(stored: StoredModel, frame: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Ask the model about a frame of features, in as many threads as the caller has set."""
    p = positive_probability(stored.model, frame)
    require_probabilities(p)
    return p


def frame_of(rows: pa.RecordBatch, spec: FeatureSpec) -> pd.DataFrame:
    """Make the frame that the model sees; of words that are categories pandas gets each distinct one once."""
    columns = {}
    for name in dict.fromkeys(spec.columns):
        column = rows[name]
        is_words = name in spec.categories and name not in spec.text and pa.types.is_string(column.type)
        columns[name] = column.dictionary_encode() if is_words else column
    return build_features(pa.table(columns).to_pandas(), spec)
