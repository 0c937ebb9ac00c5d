"""Turns rows and a model of a quantity into predictions, shaped as the lake keeps them.

What belongs here: rows in, predictions out. What does not: reading and writing (`score.py`).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.data.columns import IS_KNOWN, LABELS
from include.learning.data.dataset import EVENT_AT
from include.learning.data.features import FeatureSpec, build_features
from include.learning.protocols import Probabilities
from include.learning.quantity.following import spread_offsets
from include.learning.quantity.numbers import is_number
from include.learning.quantity.seasons import add_calendar
from include.learning.registry.artifacts import StoredModel
from include.learning.registry.versions import Row
from include.learning.scoring import predict
from include.learning.training.fit import N_THREADS
from include.names import PARTITION_KEY, ROW_KEY

SCHEMA = pa.schema(
    [
        (PARTITION_KEY, pa.string()),
        (ROW_KEY, pa.string()),
        ("model_version", pa.string()),
        ("predicted", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("action", pa.float64()),
        ("action_before", pa.float64()),
        ("label_known", pa.bool_()),
        ("actual", pa.float64()),
    ]
)


class QuantityScorer:
    """A registered model of a quantity on its way to the rows; each process that has some loads it once."""

    def __init__(self, folder: Path, row: Row, offsets: Mapping[str, Probabilities]) -> None:
        """Name the model, and by how much it is moved.

        Args:
            folder: the problem's folder of models.
            row: of the registry.
            offsets: partition to what was learned before it, shape (4,).
        """
        self.inner = predict.Scorer(folder, row)
        self.offsets = dict(offsets)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give each batch of rows its predictions.

        Raises:
            TamperedModel: the file is not the one that was registered.
            BadFeatures: from `data/features.py`.
        """
        stored = self.inner.load()
        with threadpool_limits(N_THREADS):
            for batch in batches:
                yield self._predictions(stored, batch)

    def load(self) -> StoredModel:
        """Load the model, if its bytes are the registered ones."""
        return self.inner.load()

    def _predictions(self, stored: StoredModel, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make the prediction rows of event rows."""
        n_rows = batch.num_rows
        if not n_rows:  # scikit-learn refuses to predict nothing
            return pa.RecordBatch.from_pylist([], schema=SCHEMA)
        frame = add_calendar(predict.frame_of(batch, stored.spec), batch[EVENT_AT].to_pandas())
        partitions = batch[PARTITION_KEY].to_numpy(zero_copy_only=False)
        said = stored.model.answer(frame, spread_offsets(self.offsets, partitions))
        is_known, actual = np.zeros(n_rows, dtype=np.bool_), np.full(n_rows, np.nan)
        if LABELS in batch.schema.names:
            actual = batch[LABELS].to_numpy(zero_copy_only=False).astype(np.float64)
            is_known = batch[IS_KNOWN].to_numpy(zero_copy_only=False).astype(np.bool_) & is_number(actual)
        columns = [
            pa.array(partitions, pa.string()),
            batch[ROW_KEY].cast(pa.string()),
            pa.repeat(pa.scalar(stored.model_version), n_rows),
            *(pa.array(column, pa.float64()) for column in said.to_table().T),
            pa.array(stored.model.plan_before(frame), pa.float64()),
            pa.array(is_known, pa.bool_()),
            pa.array(actual, pa.float64(), mask=~is_known),
        ]
        return pa.record_batch(columns, schema=SCHEMA)


def read_frame(rows: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Give the frame that a model of a quantity sees of typed rows: features, and the calendar.

    Raises:
        BadFeatures: from `data/features.py`.
    """
    return add_calendar(build_features(rows, spec), rows[EVENT_AT])
