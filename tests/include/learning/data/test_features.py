import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from include.learning.data.features import MAX_CATEGORIES, TEXT, TEXT_LIMIT, FeatureSpec, build_features, learn_features
from include.learning.errors import BadFeatures
from include.learning.training.estimators import make_classifier, make_encoder
from include.problems.sections.learning import Features

MAX_DOUBLE = 1.7976931348623157e308

FEATURES = Features(numeric=["rain"], categorical=["line"], text=["subject", "body"])


def make_rows(**changed: object) -> pd.DataFrame:
    rows = {"rain": [0.0, 2.5], "line": ["red", "blue"], "subject": ["hi", None], "body": ["there", "you"]}
    return pd.DataFrame(rows | changed)


def test_numbers_categories_and_one_text_come_in_the_declared_order():
    rows = make_rows()
    frame = build_features(rows, learn_features(rows, FEATURES))
    assert list(frame.columns) == ["rain", "line", TEXT]
    assert frame["rain"].tolist() == [0.0, 2.5]
    assert frame["line"].tolist() == ["red", "blue"]
    assert frame[TEXT].tolist() == ["hi\nthere", "\nyou"]


def test_an_unseen_category_and_a_missing_one_are_missing():
    spec = learn_features(make_rows(), FEATURES)
    frame = build_features(make_rows(line=["green", None]), spec)
    assert frame["line"].isna().all()
    assert list(frame["line"].cat.categories) == ["blue", "red"]


def test_the_order_of_the_rows_changes_no_category():
    rows = make_rows()
    assert learn_features(rows, FEATURES) == learn_features(rows.iloc[::-1], FEATURES)


def test_rare_categories_beyond_the_limit_are_left_out():
    names = [f"c{number:03d}" for number in range(MAX_CATEGORIES + 3)]
    rows = pd.DataFrame({"line": names + names[3:]})
    spec = learn_features(rows, Features(categorical=["line"]))
    assert spec.categories["line"] == tuple(names[3:])


def test_missing_and_whole_numbers_and_flags_are_read_as_doubles():
    rows = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [True, False], "c": [None, 2]})
    frame = build_features(rows, FeatureSpec(("a", "b", "c"), {}, ()))
    assert frame.dtypes.astype(str).tolist() == ["float64"] * 3
    assert frame.isna().to_numpy().tolist() == [[False, False, True], [True, False, False]]


def test_one_infinite_value_among_good_ones_is_refused_and_named():
    with pytest.raises(BadFeatures, match=r"1 of 2 values of feature 'rain' are infinite \(first: row 1, inf"):
        build_features(make_rows(rain=[1.0, np.inf]), learn_features(make_rows(), FEATURES))


@pytest.mark.parametrize("name", ["scorecard", "gaussian_process"])
def test_the_largest_double_in_one_row_stops_neither_fitting_nor_scoring(name):
    features = Features(numeric=["x"])
    good, odd = pd.DataFrame({"x": np.linspace(-1, 1, 40)}), pd.DataFrame({"x": [*np.linspace(-1, 1, 39), -MAX_DOUBLE]})
    spec = learn_features(good, features)
    for taught, scored in ((good, odd), (odd, good)):
        frame = build_features(taught, spec)
        model = make_pipeline(make_encoder(name, spec, frame), make_classifier(name, spec, features, 0))
        scores = model.fit(frame, np.arange(40) % 3 == 0).predict_proba(build_features(scored, spec))
        assert np.isfinite(scores).all()


def test_text_where_a_number_should_be_is_refused():
    with pytest.raises(BadFeatures, match=r"'rain' holds .* not numbers"):
        build_features(make_rows(rain=["1", "much"]), learn_features(make_rows(), FEATURES))


def test_a_missing_column_is_named_at_training_and_at_scoring():
    rows = make_rows()
    for use in (
        lambda bad: learn_features(bad, FEATURES),
        lambda bad: build_features(bad, learn_features(rows, FEATURES)),
    ):
        with pytest.raises(BadFeatures, match="1 of 4 feature columns are missing from the rows: line"):
            use(rows.drop(columns="line"))


def test_text_is_cut_at_the_limit():
    rows = make_rows(body=["x" * 2 * TEXT_LIMIT, ""])
    assert build_features(rows, learn_features(rows, FEATURES))[TEXT].str.len().max() == TEXT_LIMIT


def test_a_spec_survives_being_stored_and_no_rows_give_an_empty_frame():
    spec = learn_features(make_rows(), FEATURES)
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    assert build_features(make_rows().iloc[:0], spec).shape == (0, 3)
