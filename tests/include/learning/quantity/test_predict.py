"""Rows in, predictions out."""

import numpy as np
import pyarrow as pa

from include.learning.quantity.predict import SCHEMA, QuantityScorer, read_frame
from include.learning.registry.artifacts import StoredModel, save_model
from tests.include.learning.quantity.conftest import make_rows


def make_scorer(tmp_path, fitted):
    stored = StoredModel(fitted.model, fitted.spec, "2013-03-20-abc123")
    path, digest = save_model(tmp_path, stored)
    row = {"model_version": stored.model_version, "artifact_url": path.name, "artifact_sha256": digest}
    offsets = {"2013-03-01": np.zeros(4), "2013-03-02": np.array([0.0, -5.0, 5.0, 0.0])}
    return QuantityScorer(tmp_path, row | {"features": fitted.spec.names}, offsets), stored


def test_each_partition_is_moved_by_its_own_offsets(tmp_path, fitted_bikes):
    scorer, stored = make_scorer(tmp_path, fitted_bikes)
    rows = make_rows(2)[["_row_key", "_partition_key", "_event_at", "warmth_c", "wind_ms", "size"]]
    batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
    [said] = scorer(iter([batch]))
    assert said.schema == SCHEMA
    found, raw = said.to_pandas(), stored.model.forecast.predict(read_frame(rows, stored.spec))
    is_second = (rows["_partition_key"] == "2013-03-02").to_numpy()
    assert np.allclose(found["low"], raw[:, 1] - 5.0 * is_second)
    assert not found["label_known"].any()
    assert found["actual"].isna().all()


def test_an_infinite_label_is_not_known_and_its_neighbours_are(tmp_path, fitted_bikes):
    scorer, _ = make_scorer(tmp_path, fitted_bikes)
    rows = make_rows(1).head(3).assign(_is_known=[True, True, False], _labels=[np.inf, 2.0, 3.0])
    rows = rows[["_row_key", "_partition_key", "_event_at", "warmth_c", "wind_ms", "size", "_is_known", "_labels"]]
    [said] = scorer(iter([pa.RecordBatch.from_pandas(rows, preserve_index=False)]))
    assert said["label_known"].to_pylist() == [False, True, False]
    assert said["actual"].to_pylist() == [None, 2.0, None]


def test_no_rows_are_no_predictions(tmp_path, fitted_bikes):
    scorer, _ = make_scorer(tmp_path, fitted_bikes)
    rows = make_rows(1).head(0)[["_row_key", "_partition_key", "_event_at", "warmth_c", "wind_ms", "size"]]
    [said] = scorer(iter([pa.RecordBatch.from_pandas(rows, preserve_index=False)]))
    assert said.num_rows == 0
    assert said.schema == SCHEMA
