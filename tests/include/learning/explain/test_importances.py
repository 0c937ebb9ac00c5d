import math

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance as library_permutation
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score

from include.learning.explain import importances
from include.stats.bootstrap import draw_blocks

N_ROWS = 400


@pytest.fixture
def rows():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"strong": rng.normal(size=N_ROWS), "weak": rng.normal(size=N_ROWS)})
    frame["nothing"], frame["always"] = rng.normal(size=N_ROWS), 1.0
    is_positive = rng.random(N_ROWS) < 1 / (1 + np.exp(-(2 * frame["strong"] + 0.5 * frame["weak"]).to_numpy()))
    return frame, is_positive


def weights_of(n_rows):
    return draw_blocks(np.arange(n_rows), np.random.default_rng(0))


def values(found):
    return {one.feature: one.value for one in found}


def test_shuffling_a_feature_costs_what_a_hand_count_says():
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 0.0]})

    def predict(asked):
        return np.where(asked["a"] > 0, 0.8, 0.2)

    class Swap:
        """A draw that always swaps the two rows."""

        def permutation(self, n):
            return np.arange(n)[::-1]

    found = importances.permutation_importance(
        predict, frame, np.array([False, True]), ["a", "b"], weights_of(2), Swap(), n_repeats=2
    )
    # Both rows said 0.8 for what happened; swapped, they say 0.2 for it.
    assert values(found) == pytest.approx({"a": math.log(0.8 / 0.2), "b": 0.0})


def test_permutation_agrees_with_the_library_within_its_own_noise(rows):
    frame, is_positive = rows
    model = LogisticRegression().fit(frame, is_positive)
    ours = importances.permutation_importance(
        lambda asked: model.predict_proba(asked)[:, 1],
        frame,
        is_positive,
        list(frame),
        weights_of(N_ROWS),
        np.random.default_rng(1),
        n_repeats=30,
    )
    library = library_permutation(model, frame, is_positive, scoring="neg_log_loss", n_repeats=30, random_state=2)
    assert list(values(ours).values()) == pytest.approx(library.importances_mean.tolist(), abs=0.03)
    assert values(ours)["always"] == pytest.approx(0.0, abs=1e-12)
    assert all(one.low <= one.value <= one.high for one in ours)


def test_leaving_out_what_matters_costs_and_a_twin_hides_it(rows):
    frame, is_positive = rows
    frame = frame.assign(twin=frame["strong"])
    half = N_ROWS // 2

    def fit(features):
        def without(name):
            kept = [feature for feature in features if feature != name]
            model = LogisticRegression().fit(frame[kept][:half], is_positive[:half])
            return model.predict_proba(frame[kept][half:])[:, 1]

        return without

    weights = weights_of(N_ROWS - half)
    alone = importances.ablation_importance(fit(["strong", "weak"]), is_positive[half:], ["strong", "weak"], weights)
    assert values(alone)["strong"] > 0.1 > values(alone)["weak"]
    twins = importances.ablation_importance(fit(["strong", "twin"]), is_positive[half:], ["strong"], weights)
    assert abs(values(twins)["strong"]) < 0.03


def test_rows_of_one_block_are_told_about_without_an_interval():
    frame, is_positive = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}), np.array([False, False, True, True])
    one_block = draw_blocks(np.zeros(4, dtype=np.int64), np.random.default_rng(1))
    (found,) = importances.mutual_information(frame, is_positive, ["x"], one_block)
    assert (found.low, found.high) == (None, None)
    assert found.value == pytest.approx(np.log(2) - 3 / 8)


def test_mutual_information_is_the_librarys_less_what_chance_would_show(rows):
    frame, is_positive = rows
    found = values(importances.mutual_information(frame, is_positive, ["strong", "always"], weights_of(N_ROWS)))
    codes = importances.bin_values(frame["strong"])
    assert found["strong"] == pytest.approx(mutual_info_score(codes, is_positive) - 9 / (2 * N_ROWS))
    assert found["always"] == 0.0


def test_a_feature_that_knows_the_answer_is_worth_ln_two_nats():
    is_positive = np.array([True, False] * 50)
    frame = pd.DataFrame({"known": np.where(is_positive, np.nan, 3.0)})
    frame["category"] = pd.Categorical(np.where(is_positive, "yes", None))
    found = importances.mutual_information(frame, is_positive, list(frame), weights_of(100))
    expected = math.log(2) - 1 / 200
    assert values(found) == pytest.approx({"known": expected, "category": expected})
    assert importances.bin_values(pd.Series([np.nan, np.nan])).tolist() == [0, 0]


def test_the_stronger_feature_enters_the_path_first_and_what_says_nothing_last(rows):
    frame, is_positive = rows
    scaled = ((frame - frame.mean()) / frame.std(ddof=0).replace(0, 1)).to_numpy()
    found = values(importances.l1_path_importance(scaled, is_positive, list(frame)))
    assert found["strong"] == pytest.approx(0.9)
    assert found["strong"] > found["weak"] >= found["nothing"]
    assert found["always"] == 0.0
    mirrored = values(importances.l1_path_importance(-scaled, is_positive, list(frame)))
    assert mirrored == found


def test_columns_of_one_feature_enter_with_the_first_of_them(rows):
    frame, is_positive = rows
    both = frame[["strong", "nothing"]].to_numpy()
    found = importances.l1_path_importance(both, is_positive, ["line", "line"])
    assert values(found) == pytest.approx({"line": 0.9})
