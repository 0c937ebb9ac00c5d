"""Shapley values of trees, against numbers worked by hand, against all subsets, and against the library."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from include.learning.explain.tree_shap import explain_trees


def make_frame(n_rows=600, seed=1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"rain": rng.normal(size=n_rows), "hour": rng.normal(size=n_rows)})
    frame["line"] = pd.Categorical.from_codes(rng.integers(-1, 4, n_rows), categories=["a", "b", "c", "d"])
    frame["zone"] = pd.Categorical.from_codes(rng.integers(0, 3, n_rows), categories=["x", "y", "z"])
    frame.loc[rng.random(n_rows) < 0.1, "rain"] = np.nan
    odds = frame["rain"].fillna(0.5) + np.where(frame["line"].isin(["b", "d"]), 1.5, -0.5) * (1 + frame["hour"])
    return frame, (rng.random(n_rows) < 1 / (1 + np.exp(-odds))).astype(int)


def fit(frame, y, **settings):
    return HistGradientBoostingClassifier(early_stopping=False, categorical_features="from_dtype", **settings).fit(
        frame, y
    )


def test_one_split_gives_its_whole_step_to_its_feature():
    frame = pd.DataFrame({"a": [0.0] * 30 + [1.0] * 10, "b": [0.0] * 40})
    y = np.array([0] * 30 + [1] * 10)
    trees = fit(frame, y, max_iter=1, max_leaf_nodes=2, min_samples_leaf=1)
    low, high = trees.decision_function(frame.iloc[[0, 39]])
    base, values = explain_trees(trees, frame.iloc[[0, 39]])
    # 30 of 40 rows lie left: that is what a row of which nothing is known is expected to get.
    assert base == pytest.approx(0.75 * low + 0.25 * high)
    assert values[0].tolist() == pytest.approx([low - base, 0.0])
    assert values[1].tolist() == pytest.approx([high - base, 0.0])


def by_all_subsets(trees, row, frame):
    """Answer by the definition: the mean over all orders of the step that each feature makes."""

    def expected(node, known, tree):
        entry = tree.nodes[node]
        if entry["is_leaf"]:
            return entry["value"]
        name = columns[entry["feature_idx"]]
        left, right = int(entry["left"]), int(entry["right"])
        if name not in known:
            shares = [tree.nodes[child]["count"] / entry["count"] for child in (left, right)]
            return sum(share * expected(child, known, tree) for share, child in zip(shares, (left, right), strict=True))
        value = encoded[entry["feature_idx"]]
        if np.isnan(value):
            is_left = entry["missing_go_to_left"]
        elif entry["is_categorical"]:
            bits = tree.raw_left_cat_bitsets[entry["bitset_idx"]]
            is_left = (int(bits[int(value) // 32]) >> (int(value) % 32)) & 1
        else:
            is_left = value <= entry["num_threshold"]
        return expected(left if is_left else right, known, tree)

    columns = ["line", "zone", "rain", "hour"]  # the library moves categories to the front
    encoded = trees._preprocessor.transform(row)[0]
    found = dict.fromkeys(frame.columns, 0.0)
    for order in itertools.permutations(frame.columns):
        for place, name in enumerate(order):
            for (tree,) in trees._predictors:
                step = expected(0, order[: place + 1], tree) - expected(0, order[:place], tree)
                found[name] += step / math.factorial(len(order))
    return list(found.values())


@pytest.mark.parametrize("place", [0, 7, 11])
def test_categories_and_missing_values_agree_with_the_mean_over_all_orders(place):
    frame, y = make_frame()
    trees = fit(frame, y, max_iter=4, max_leaf_nodes=12, min_samples_leaf=5)
    row = frame.iloc[[place]]
    assert explain_trees(trees, row)[1][0].tolist() == pytest.approx(by_all_subsets(trees, row, frame), abs=1e-12)


def test_contributions_sum_to_the_decision_function_also_for_categories_never_seen():
    frame, y = make_frame()
    is_known = frame["line"] != "c"
    trees = fit(frame[is_known], y[is_known], max_iter=20)
    base, values = explain_trees(trees, frame)
    assert (frame["line"] == "c").any()
    assert frame["line"].isna().any()
    np.testing.assert_allclose(base + values.sum(axis=1), trees.decision_function(frame), atol=1e-9)


def test_on_numbers_alone_the_library_says_the_same():
    shap = pytest.importorskip("shap")
    frame, y = make_frame()
    numbers = frame[["rain", "hour"]]
    trees = fit(numbers, y, max_iter=30)
    base, values = explain_trees(trees, numbers)
    library = shap.TreeExplainer(trees)
    np.testing.assert_allclose(values, library.shap_values(numbers), atol=1e-9)
    assert base == pytest.approx(float(np.ravel(library.expected_value)[0]), abs=1e-9)


def test_many_rows_at_once_are_what_each_row_is_alone():
    frame, y = make_frame(1_200)
    trees = fit(frame, y, max_iter=3)
    together = explain_trees(trees, frame)[1]
    alone = explain_trees(trees, frame.iloc[[0, 600, 1_199]])[1]
    np.testing.assert_allclose(together[[0, 600, 1_199]], alone, atol=1e-12)
    assert explain_trees(trees, frame.iloc[:0])[1].shape == (0, 4)
