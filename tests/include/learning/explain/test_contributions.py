import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from include.learning.calibration.selection import calibrate
from include.learning.data.features import build_features, learn_features
from include.learning.errors import CannotExplain, NotAdditive
from include.learning.explain.contributions import (
    REST,
    Contributions,
    explain_linear,
    explain_rows,
    list_contributions,
    require_additive,
)
from include.learning.explain.model_parts import Column, take_apart
from include.learning.training import estimators
from include.problems.sections.learning import Training

NUMBERS = {"numeric": ["rain_mm", "hour"], "categorical": ["line"]}


class Line:
    """The log-odds 1 + 2 a + 3 b - 4 c."""

    coef_ = np.array([[2.0, 3.0, -4.0]])
    intercept_ = np.array([1.0])


def fit_model(name, features, rows, is_positive):
    training = Training.model_validate({"model": name, "features": features})
    spec = estimators.spec_of(name, learn_features(rows, training.features))
    frame = build_features(rows, spec)
    encoder = estimators.make_encoder(name, spec, frame)
    encoded = encoder.fit_transform(frame)
    classifier = estimators.make_classifier(name, spec, training.features, 1).fit(encoded, is_positive.astype(int))
    p = estimators.positive_probability(classifier, encoded)
    calibrated = calibrate(classifier, "sigmoid", p, is_positive)
    return Pipeline([("encode", encoder), ("classify", calibrated)]), frame


def make_texts(n_rows=60):
    rng = np.random.default_rng(3)
    is_junk = rng.random(n_rows) < 0.5
    words = np.where(is_junk, "free money", "patch report")
    noise = [" ".join(rng.choice(["one", "two", "three", "four"], 2)) for _ in range(n_rows)]
    return pd.DataFrame({"body": [f"{a} {b}" for a, b in zip(words, noise, strict=True)]}), is_junk


def test_a_weighted_sum_is_split_and_columns_of_a_category_are_one():
    columns = [Column("free", True), Column("line", False), Column("line", False)]
    encoded = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    found = explain_linear(Line(), columns, encoded)
    assert (found.base, found.features) == (1.0, ("free", "line"))
    assert found.values.toarray().tolist() == [[2.0, -4.0], [0.0, 3.0]]
    assert found.log_odds.tolist() == [-1.0, 4.0]


def test_a_word_and_a_column_of_one_name_stay_two_features():
    columns = [Column("line", True), Column("line", False), Column("b", False)]
    found = explain_linear(Line(), columns, np.eye(3))
    assert found.features == ("line", "line", "b")
    assert np.diag(found.values.toarray()).tolist() == [2.0, 3.0, -4.0]


def test_a_text_is_explained_by_its_own_words_on_the_log_odds_before_calibration():
    rows, is_junk = make_texts()
    model, frame = fit_model("text_logistic", {"text": ["body"]}, rows, is_junk)
    parts = take_apart(model)
    found = explain_rows(parts, frame)
    raw = parts.classifier.decision_function(parts.encoder.transform(frame))
    np.testing.assert_allclose(found.log_odds, raw, atol=1e-9)
    row = int(np.flatnonzero(is_junk)[0])
    listed = list_contributions(found, row)
    assert {name for name, value in listed[1:3] if value > 0} == {"free", "money"}
    assert {name for name, _ in listed[1:]} <= set(rows["body"][row].split())


def test_pieces_of_words_are_told_from_words():
    rows, is_junk = make_texts()
    model, frame = fit_model("text_characters", {"text": ["body"]}, rows, is_junk)
    found = explain_rows(take_apart(model), frame)
    assert "free" in found.features
    assert "[free]" in found.features
    assert len(set(found.features)) == len(found.features)


@pytest.mark.parametrize("model_name", ["gradient_boosting", "scorecard"])
def test_numbers_and_categories_sum_to_the_log_odds(model_name):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"rain_mm": rng.normal(size=300), "hour": rng.integers(0, 24, 300).astype(float)})
    rows["line"] = rng.choice(["red", "blue"], 300)
    rows.loc[:20, "rain_mm"] = np.nan
    is_positive = rng.random(300) < 1 / (1 + np.exp(-rows["rain_mm"].fillna(0)))
    model, frame = fit_model(model_name, NUMBERS, rows, is_positive.to_numpy())
    found = explain_rows(take_apart(model), frame)
    assert found.features == ("rain_mm", "hour", "line")
    raw = take_apart(model).classifier.decision_function(model[0].transform(frame))
    np.testing.assert_allclose(found.log_odds, raw, atol=1e-6)
    largest = np.abs(found.values.toarray()).mean(axis=0)
    assert int(np.argmax(largest)) == 0


def test_one_row_that_does_not_sum_is_refused_and_named():
    found = Contributions(1.0, sparse.csr_array([[1.0], [2.0], [3.0]]), ("a",))
    require_additive(found, np.array([2.0, 3.0, 4.0]))
    with pytest.raises(NotAdditive, match=r"1 of 3 rows.*row 1, 3\.000000 instead of 7\.5"):
        require_additive(found, np.array([2.0, 7.5, 4.0]))
    with pytest.raises(NotAdditive, match="1 of 3 rows"):
        require_additive(found, np.array([2.0, np.nan, 4.0]))


class Shifted(HistGradientBoostingClassifier):
    """Trees that say something else than their leaves sum to, as if the library had changed how it reads them."""

    def decision_function(self, X):  # noqa: N803
        return super().decision_function(X) + 0.1


def test_trees_that_are_read_in_another_way_than_they_answer_are_refused():
    frame = pd.DataFrame({"a": np.arange(300.0)})
    model = Pipeline([("encode", FunctionTransformer()), ("classify", Shifted(max_iter=2))])
    model.fit(frame, frame["a"] > 150)
    with pytest.raises(NotAdditive, match="300 of 300 rows"):
        explain_rows(take_apart(model), frame)


def test_a_model_without_exact_contributions_says_so():
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    model = Pipeline([("encode", FunctionTransformer()), ("classify", GaussianProcessClassifier())])
    model.fit(frame, [0, 0, 1, 1])
    with pytest.raises(CannotExplain, match="GaussianProcessClassifier is neither linear nor made of trees"):
        explain_rows(take_apart(model), frame)


def test_the_list_sums_to_the_log_odds_whatever_it_leaves_out():
    found = Contributions(0.25, sparse.csr_array([[0.5, -2.0, 0.0, 1.0]]), ("a", "b", "c", "d"))
    assert list_contributions(found, 0) == [(REST, 0.25), ("b", -2.0), ("d", 1.0), ("a", 0.5)]
    short = list_contributions(found, 0, n_shown=1)
    assert short == [(REST, 1.75), ("b", -2.0)]
    assert sum(value for _, value in short) == pytest.approx(found.log_odds[0])
