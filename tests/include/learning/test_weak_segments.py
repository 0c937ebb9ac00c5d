import numpy as np
import pandas as pd
import pytest
from scipy import stats

from include.learning.weak_segments import cut_column, find_weak_segments

N_ROWS = 1_000


@pytest.fixture
def rows():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"hour": rng.integers(0, 24, N_ROWS), "line": rng.choice(["red", "blue"], N_ROWS)})
    frame["one"] = 1.0
    loss = rng.exponential(0.3, N_ROWS) + np.where(frame["hour"] > 19, 0.5, 0.0)
    return frame, loss


def test_the_hours_in_which_the_model_fails_are_the_only_weak_segment(rows):
    found = find_weak_segments(*rows)
    assert [one.feature for one in found if one.is_weak] == ["hour"]
    worst = found[0]
    assert worst.segment == "19 < 23"
    assert worst.low > 0.2
    frame, loss = rows
    is_in = frame["hour"].to_numpy() > 19
    assert worst.n_rows == is_in.sum()
    assert worst.excess_nats == pytest.approx(loss[is_in].mean() - loss[~is_in].mean())
    expected = stats.ttest_ind(loss[is_in], loss[~is_in], equal_var=False, alternative="greater").pvalue
    assert worst.p_value == pytest.approx(expected)


def test_where_every_row_is_alike_nothing_is_weak_in_a_hundred_features():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"f{number}": rng.integers(0, 4, N_ROWS) for number in range(100)})
    found = find_weak_segments(frame, rng.exponential(0.3, N_ROWS))
    assert len(found) == 400
    assert min(one.p_value for one in found) < 0.05
    assert not any(one.is_weak for one in found)


def test_a_segment_of_a_few_rows_is_not_looked_at(rows):
    frame, loss = rows
    frame["rare"] = np.where(np.arange(N_ROWS) < 29, "few", "many")
    loss[:29] += 5.0
    assert "rare" not in {one.feature for one in find_weak_segments(frame, loss)}


def test_a_feature_with_one_value_and_a_frame_without_rows_give_no_segment(rows):
    frame, loss = rows
    assert "one" not in {one.feature for one in find_weak_segments(frame, loss)}
    assert find_weak_segments(frame.iloc[:0], loss[:0]) == []


def test_missing_values_are_a_segment_and_every_row_is_in_exactly_one():
    column = pd.Series([np.nan, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, np.nan])
    segments = list(cut_column(column))
    assert segments[0][0] == "(missing)"
    assert segments[0][1].tolist() == [True, *[False] * 9, True]
    assert np.sum([is_in for _, is_in in segments], axis=0).tolist() == [1] * 11
    words = list(cut_column(pd.Series(["b", "a", "b", None])))
    assert [name for name, _ in words] == ["(missing)", "b", "a"]


def test_losses_without_spread_are_compared_without_a_division_by_zero():
    frame = pd.DataFrame({"side": ["left"] * 50 + ["right"] * 50})
    found = find_weak_segments(frame, np.array([1.0] * 50 + [0.0] * 50))
    assert [(one.segment, one.excess_nats, one.is_weak) for one in found] == [
        ("left", 1.0, True),
        ("right", -1.0, False),
    ]
