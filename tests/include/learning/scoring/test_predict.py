import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from include.errors import TamperedModel
from include.learning.registry import artifacts
from include.learning.scoring.predict import SCHEMA, Scorer, make_predictions, predict_rows
from include.learning.training.fit import IS_KNOWN, IS_POSITIVE
from tests.include.learning.registry.test_artifacts import TRIPS, make_stored


def batch_of(rows):
    return pa.RecordBatch.from_pandas(rows, preserve_index=False)


def test_each_row_keeps_its_key_and_gets_its_probability():
    stored, rows = make_stored()
    table = make_predictions(stored, batch_of(rows.drop(columns=IS_POSITIVE)))
    assert table.schema == SCHEMA
    assert table["_row_key"].to_pylist() == rows["_row_key"].tolist()
    assert table["p_positive"].to_pylist() == predict_rows(stored, rows).tolist()
    assert set(table["model_version"].to_pylist()) == {stored.model_version}


def test_without_labels_from_the_log_nothing_is_known():
    stored, rows = make_stored()
    table = make_predictions(stored, batch_of(rows.drop(columns=IS_POSITIVE)))
    assert table["label_known"].to_pylist() == [False] * len(rows)
    assert table["is_positive"].null_count == len(rows)


def test_a_label_the_log_does_not_know_yet_is_null_and_not_false():
    stored, rows = make_stored()
    rows = rows.head(3).assign(**{IS_KNOWN: [True, False, True], IS_POSITIVE: [True, False, False]})
    table = make_predictions(stored, batch_of(rows))
    assert table["label_known"].to_pylist() == [True, False, True]
    assert table["is_positive"].to_pylist() == [True, None, False]


def test_the_order_of_the_rows_changes_no_probability():
    stored, rows = make_stored()
    mixed = rows.sample(frac=1, random_state=1)
    one, other = (pd.Series(predict_rows(stored, part), index=part.index) for part in (rows, mixed))
    assert np.allclose(one, other.reindex(one.index))


def test_no_rows_give_an_empty_table_of_the_right_shape():
    stored, rows = make_stored()
    assert make_predictions(stored, batch_of(rows.head(0))).schema == SCHEMA


def test_rows_in_batches_get_what_they_get_together():
    stored, rows = make_stored(TRIPS)
    rows.loc[3, "line"] = None
    together = make_predictions(stored, batch_of(rows))["p_positive"]
    parts = [make_predictions(stored, batch_of(rows[i : i + 7]))["p_positive"] for i in range(0, len(rows), 7)]
    assert pa.concat_arrays(parts) == together
    assert together.to_pylist() == predict_rows(stored, rows).tolist()


def registered(folder, stored):
    path, digest = artifacts.save_model(folder, stored)
    where = {"model_version": stored.model_version, "artifact_url": path.name, "artifact_sha256": digest}
    return where | {"features": stored.spec.names}


def test_a_scorer_travels_and_asks_the_model_that_was_registered(tmp_path):
    stored, rows = make_stored()
    scorer = pickle.loads(pickle.dumps(Scorer(tmp_path, registered(tmp_path, stored))))  # noqa: S301 - as Spark does
    (predictions,) = scorer(iter([batch_of(rows)]))
    assert predictions == make_predictions(stored, batch_of(rows))
    assert scorer.load() is scorer.load()


def test_a_scorer_refuses_a_model_that_was_changed_before_it_reads_a_row(tmp_path):
    stored, _ = make_stored()
    row = registered(tmp_path, replace(stored, model_version="round-002-abc123"))
    (tmp_path / row["artifact_url"]).write_bytes(b"another model")
    with pytest.raises(TamperedModel, match="changed"):
        next(Scorer(tmp_path, row)(iter([])))
