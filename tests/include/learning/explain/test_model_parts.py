import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.features import FeatureSpec, build_features
from include.learning.explain.model_parts import Column, encoded_columns, take_apart, to_rows
from include.learning.training import estimators
from include.problems.sections.learning import Features

SPEC = FeatureSpec(("rain",), {"line": ("blue", "red")}, ("body",))
ROWS = pd.DataFrame({"rain": [1.0, 2.0, 3.0], "line": ["red", "blue", None], "body": ["ab ab", "ab cd", "cd"]})


def test_every_encoded_column_is_named_after_what_people_call_it():
    frame = build_features(ROWS, SPEC)
    encoder = estimators.make_encoder("text_characters", SPEC, frame)
    encoded = encoder.fit_transform(frame)
    columns = encoded_columns(encoder, encoded.shape[1])
    assert columns[:2] == [Column("ab", True), Column("cd", True)]
    assert Column("[ab]", True) in columns  # a piece that is spelled like a word
    assert columns.count(Column("line", False)) == 3  # red, blue and missing
    assert columns.count(Column("rain", False)) == 1
    assert len(columns) == encoded.shape[1]


def test_without_words_the_pieces_alone_are_named():
    frame = build_features(ROWS.assign(body=["a", "b", "a b"]), SPEC)
    encoder = estimators.make_encoder("text_characters", SPEC, frame)
    columns = encoded_columns(encoder, encoder.fit_transform(frame).shape[1])
    assert all(column.feature.startswith("[") for column in columns if column.is_word)


@pytest.mark.parametrize(
    ("name", "is_linear", "is_trees"),
    [("scorecard", True, False), ("gradient_boosting", False, True), ("gaussian_process", False, False)],
)
def test_the_classifier_is_found_behind_its_calibration_and_known_by_its_kind(name, is_linear, is_trees):
    classifier = estimators.make_classifier(name, FeatureSpec(("x",), {}, ()), Features(numeric=["x"]), 1)
    classifier.fit(np.arange(40.0)[:, None], (np.arange(40) % 20 > 9).astype(int))
    for last in (classifier, Calibrated(classifier, "none")):
        parts = take_apart(Pipeline([("encode", FunctionTransformer()), ("classify", last)]))
        assert parts.classifier is classifier
        assert (parts.is_linear, parts.is_trees) == (is_linear, is_trees)


def test_rows_are_the_same_however_they_were_encoded():
    dense = np.array([[0.0, 1.0], [2.0, 0.0]])
    assert to_rows(dense).toarray().tolist() == to_rows(to_rows(dense)).toarray().tolist() == dense.tolist()
