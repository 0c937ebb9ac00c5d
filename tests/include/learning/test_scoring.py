import numpy as np
import pandas as pd

from include.learning.scoring import SCHEMA, make_predictions, predict_rows
from include.learning.training import IS_KNOWN, IS_POSITIVE
from tests.include.learning.test_storing import make_stored


def test_each_row_keeps_its_key_and_gets_its_probability():
    stored, rows = make_stored()
    table = make_predictions(stored, rows.drop(columns=IS_POSITIVE))
    assert table.schema == SCHEMA
    assert table["_row_key"].to_pylist() == rows["_row_key"].tolist()
    assert table["p_positive"].to_pylist() == predict_rows(stored, rows).tolist()
    assert set(table["model_version"].to_pylist()) == {stored.model_version}


def test_without_labels_from_the_log_nothing_is_known():
    stored, rows = make_stored()
    table = make_predictions(stored, rows.drop(columns=IS_POSITIVE))
    assert table["label_known"].to_pylist() == [False] * len(rows)
    assert table["is_positive"].null_count == len(rows)


def test_a_label_the_log_does_not_know_yet_is_null_and_not_false():
    stored, rows = make_stored()
    rows = rows.head(3).assign(**{IS_KNOWN: [True, False, True], IS_POSITIVE: [True, False, False]})
    table = make_predictions(stored, rows)
    assert table["label_known"].to_pylist() == [True, False, True]
    assert table["is_positive"].to_pylist() == [True, None, False]


def test_the_order_of_the_rows_changes_no_probability():
    stored, rows = make_stored()
    mixed = rows.sample(frac=1, random_state=1)
    one, other = (pd.Series(predict_rows(stored, part), index=part.index) for part in (rows, mixed))
    assert np.allclose(one, other.reindex(one.index))


def test_no_rows_give_an_empty_table_of_the_right_shape():
    stored, rows = make_stored()
    assert make_predictions(stored, rows.head(0)).schema == SCHEMA
