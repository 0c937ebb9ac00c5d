"""Turns rows and a model of several classes into predictions, shaped as the lake keeps them: a row for each class.

What belongs here: rows in, predictions out. What does not: reading and writing (`score.py`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.data.columns import IS_KNOWN, LABELS
from include.learning.data.features import build_features
from include.learning.protocols import Probabilities
from include.learning.registry.artifacts import StoredModel
from include.learning.registry.versions import Row
from include.learning.scoring import predict
from include.learning.several.decisions import Decisions, choose_actions
from include.learning.several.models import LabelsModel
from include.learning.several.targets import read_targets, require_table
from include.learning.training.fit import N_THREADS
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY
from include.stats.probabilities import LEAST_PROBABILITY

SCHEMA = pa.schema(
    [
        (PARTITION_KEY, pa.string()),
        (ROW_KEY, pa.string()),
        ("model_version", pa.string()),
        (CLASS_NAME, pa.string()),
        ("p_positive", pa.float64()),
        ("label_known", pa.bool_()),
        ("is_positive", pa.bool_()),
        ("action", pa.string()),
    ]
)


class ClassScorer:
    """A registered model of several classes on its way to the rows; each process that has some loads it once."""

    def __init__(
        self, folder: Path, row: Row, classes: Sequence[str], decisions: Decisions, *, is_multiple: bool
    ) -> None:
        """Name the model, the classes it is asked about, and what is done at which probabilities."""
        self.inner = predict.Scorer(folder, row)
        self.classes = tuple(classes)
        self.decisions = decisions
        self.is_multiple = is_multiple

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give each batch of rows its predictions, a row for each class.

        Raises:
            TamperedModel: the file is not the one that was registered.
            BadFeatures, BadProbabilities: as `predict_table`.
        """
        stored = self.inner.load()
        for batch in batches:
            yield self._predictions(stored, batch)

    def load(self) -> StoredModel:
        """Load the model, if its bytes are the registered ones."""
        return self.inner.load()

    def _predictions(self, stored: StoredModel, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make the prediction rows of event rows."""
        p = predict_table(stored, predict.frame_of(batch, stored.spec), self.classes, is_built=True)
        flags, is_known = _known_labels(batch, self.classes, is_multiple=self.is_multiple)
        n_rows, n_classes = p.shape
        known = np.repeat(is_known, n_classes)
        columns = [
            pa.array(np.repeat(batch[PARTITION_KEY].to_numpy(zero_copy_only=False), n_classes), pa.string()),
            pa.array(np.repeat(batch[ROW_KEY].to_numpy(zero_copy_only=False), n_classes), pa.string()),
            pa.repeat(pa.scalar(stored.model_version), n_rows * n_classes),
            pa.array(list(self.classes) * n_rows, pa.string()),
            pa.array(p.ravel(), pa.float64()),
            pa.array(known, pa.bool_()),
            pa.array(flags.ravel(), pa.bool_(), mask=~known),
            pa.array(np.repeat(np.array(choose_actions(p, self.decisions), dtype=object), n_classes), pa.string()),
        ]
        return pa.record_batch(columns, schema=SCHEMA)


def predict_table(
    stored: StoredModel, rows: pd.DataFrame, classes: Sequence[str], *, is_built: bool = False
) -> Probabilities:
    """Give each row its probability of every class.

    Args:
        rows: typed rows with the columns of the model's features, or the feature frame itself where `is_built`.
        classes: those asked about; one that the model did not know yet has probability 0.

    Returns:
        shape (n_rows, n_classes), 0..1.

    Raises:
        BadFeatures: from `data/features.py`.
        BadProbabilities: the model gave something else.
    """
    frame = rows if is_built else build_features(rows, stored.spec)
    model = stored.model[-1]
    if not len(frame):
        return np.empty((0, len(classes)))
    with threadpool_limits(N_THREADS):
        p = np.asarray(stored.model.predict_proba(frame), dtype=np.float64)
    is_multiple = isinstance(model, LabelsModel)
    require_table(p, is_multiple=is_multiple)
    place = {name: index for index, name in enumerate(model.classes)}
    table = np.column_stack([p[:, place[name]] if name in place else np.zeros(len(p)) for name in classes])
    # A class that the problem file has dropped since leaves its probability to the others.
    is_whole = is_multiple or set(model.classes) <= set(classes)
    return table if is_whole else table / np.maximum(table.sum(axis=1, keepdims=True), LEAST_PROBABILITY)


def _known_labels(
    batch: pa.RecordBatch, classes: Sequence[str], *, is_multiple: bool
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.bool_]]", "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
    """Read what the log says of rows; one whose label is not among the classes is not known."""
    if LABELS not in batch.schema.names:
        return np.zeros((batch.num_rows, len(classes)), dtype=np.bool_), np.zeros(batch.num_rows, dtype=np.bool_)
    is_known = batch[IS_KNOWN].to_numpy(zero_copy_only=False).astype(np.bool_)
    labels = pd.Series(batch[LABELS].to_pylist(), dtype="object")
    targets, is_usable = read_targets(labels, classes, is_multiple=is_multiple)
    return targets.flags, np.asarray(is_known & is_usable)
