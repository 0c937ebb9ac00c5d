import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.columns import IS_POSITIVE
from include.learning.data.leakage_checks import (
    require_both_classes,
    require_one_label_each,
    single_feature_auc,
    teaching_features,
    variance_inflation,
)
from include.learning.errors import BadFeatures, BadLabels
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features

FEATURES = Features(numeric=["rain", "hour"], categorical=["line"], text=["note"])


def make_rows(n_rows: int = 40, **changed: object) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = {
        "rain": rng.normal(size=n_rows),
        "hour": rng.integers(0, 24, n_rows),
        "line": rng.choice(["red", "blue"], n_rows),
        "note": [f"note {number}" for number in range(n_rows)],
    }
    return pd.DataFrame(rows | changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rain": [np.inf] + [1.0, 2.0] * 19 + [-np.inf]}, r"'rain' .* is infinite in 2 rows"),
        ({"hour": ["noon", "night"] * 20}, r"'hour' .* holds \w+, not numbers"),
        (
            {"rain": [np.nan] * 40, "hour": 1, "line": "red", "note": None},
            r"4 of 4 features .*'rain'.*'line'.* Remove them from the problem file",
        ),
    ],
)
def test_features_that_no_model_can_use_are_named_with_their_place_and_the_remedy(changed, sentence):
    with pytest.raises(BadFeatures, match=sentence):
        teaching_features(make_rows(**changed), FEATURES)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rain": np.nan}, "'rain' (training.features.numeric) is missing in every row"),
        ({"rain": 3.5}, "'rain' (training.features.numeric) is 3.5 in every row"),
        ({"line": "red"}, "'line' (training.features.categorical) is 'red' in every row"),
        ({"note": None}, "'note' (training.features.text) is missing in every row"),
    ],
)
def test_a_feature_that_tells_no_row_from_another_is_left_out_and_said(changed, sentence):
    features = FEATURES.model_copy(update={"increasing": ["rain"]})
    kept, said = teaching_features(make_rows(**changed), features)
    assert said == [f"{sentence} of 40 to fit on, so this version does without it."]
    (gone,) = changed
    assert {*kept.numeric, *kept.categorical, *kept.text} == {"rain", "hour", "line", "note"} - {gone}
    assert kept.increasing == ([] if gone == "rain" else ["rain"])


def test_missing_or_not_can_teach_and_one_row_is_no_constant():
    for rows in (make_rows(rain=[1.0, np.nan] * 20), make_rows().iloc[:1]):
        assert teaching_features(rows, FEATURES) == (FEATURES, [])


def test_one_class_is_refused_and_counted():
    require_both_classes(np.array([True, False]), "fit on")
    with pytest.raises(NotEnoughLabels, match="3 of 3 rows to fit on are positive"):
        require_both_classes(np.array([True] * 3), "fit on")


def test_one_item_with_two_labels_is_named_with_where_it_lies():
    rows = pd.DataFrame({ROW_KEY: ["a", "b", "b"], PARTITION_KEY: ["1", "1", "2"], IS_POSITIVE: [True, True, True]})
    require_one_label_each(rows, IS_POSITIVE)
    rows.loc[2, IS_POSITIVE] = False
    with pytest.raises(BadLabels, match=r"1 of 2 items .* contradict each other \(first: 'b' in partitions 1, 2\)"):
        require_one_label_each(rows, IS_POSITIVE)


def test_a_feature_that_is_the_label_in_disguise_ranks_all_rows():
    is_positive = np.arange(400) % 3 == 0
    rows = make_rows(400)
    assert max(single_feature_auc(rows, FEATURES, is_positive).values()) < 0.65
    for name, values in (
        ("rain", np.where(is_positive, 1.0, 2.0)),  # falling
        ("rain", np.where(is_positive, np.nan, rows["rain"])),  # missing exactly there
        ("line", np.where(is_positive, "x", "y")),
        ("line", [None if positive else "y" for positive in is_positive]),
    ):
        found = single_feature_auc(rows.assign(**{name: values}), FEATURES, is_positive)
        assert found[name] == pytest.approx(1.0), name
        assert set(found) == {"rain", "hour", "line"}


def test_a_category_of_its_own_for_every_row_ranks_nothing():
    rows = make_rows(400, line=[f"row {number}" for number in range(400)])
    is_positive = np.random.default_rng(3).random(400) < 0.3
    assert single_feature_auc(rows, FEATURES, is_positive)["line"] == pytest.approx(0.5)


def test_two_numbers_that_correlate_by_point_six_have_a_known_vif():
    x = np.array([1.0, -1.0, 1.0, -1.0] * 10)
    y = np.array([1.0, 1.0, -1.0, -1.0] * 10)
    frame = pd.DataFrame({"a": x, "b": 0.6 * x + 0.8 * y})
    assert variance_inflation(frame, ["a", "b"]) == pytest.approx({"a": 25 / 16, "b": 25 / 16})


def test_vif_is_one_over_what_a_regression_on_the_others_leaves():
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    frame["c"] += 0.7 * frame["a"] - 0.4 * frame["b"]
    for name, vif in variance_inflation(frame, list(frame)).items():
        others = frame.drop(columns=name)
        assert vif == pytest.approx(1 / (1 - LinearRegression().fit(others, frame[name]).score(others, frame[name])))


def test_a_number_that_others_give_exactly_has_an_infinite_vif():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 2)), columns=["a", "b"]).assign(constant=1.0)
    found = variance_inflation(frame.assign(total=frame["a"] + frame["b"]), ["a", "b", "total", "constant"])
    assert found == {"a": np.inf, "b": np.inf, "total": np.inf, "constant": 1.0}
    assert variance_inflation(frame, ["a"]) == {"a": pytest.approx(1.0)}
    assert variance_inflation(frame, []) == {}
