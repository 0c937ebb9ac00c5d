import numpy as np
import pandas as pd
import pytest
from scipy import stats

from include.learning.evaluation.error_slices import cut_column, find_weak_segments, write_numbers

N_ROWS = 1_000
ALONE = np.arange(N_ROWS)


@pytest.fixture
def rows():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"hour": rng.integers(0, 24, N_ROWS), "line": rng.choice(["red", "blue"], N_ROWS)})
    frame["one"] = 1.0
    loss = rng.exponential(0.3, N_ROWS) + np.where(frame["hour"] > 19, 0.5, 0.0)
    return frame, loss


def test_the_hours_in_which_the_model_fails_are_the_only_weak_segment(rows):
    found = find_weak_segments(*rows, ALONE)
    assert [one.feature for one in found if one.is_weak] == ["hour"]
    worst = found[0]
    assert worst.segment == "19 < 23"
    assert worst.low > 0.2
    frame, loss = rows
    is_in = frame["hour"].to_numpy() > 19
    assert worst.n_rows == is_in.sum()
    assert worst.excess_nats == pytest.approx(loss[is_in].mean() - loss[~is_in].mean())
    expected = stats.ttest_ind(loss[is_in], loss[~is_in], equal_var=False, alternative="greater").pvalue
    assert worst.p_value == pytest.approx(expected, rel=0.05)


def test_where_every_row_is_alike_nothing_is_weak_in_a_hundred_features():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"f{number}": rng.integers(0, 4, N_ROWS) for number in range(100)})
    found = find_weak_segments(frame, rng.exponential(0.3, N_ROWS), ALONE)
    assert len(found) == 400
    assert min(one.p_value for one in found) < 0.05
    assert not any(one.is_weak for one in found)


def test_a_segment_of_a_few_rows_is_not_looked_at(rows):
    frame, loss = rows
    frame["rare"] = np.where(np.arange(N_ROWS) < 29, "few", "many")
    loss[:29] += 5.0
    assert "rare" not in {one.feature for one in find_weak_segments(frame, loss, ALONE)}


def test_a_feature_with_one_value_and_a_frame_without_rows_give_no_segment(rows):
    frame, loss = rows
    assert "one" not in {one.feature for one in find_weak_segments(frame, loss, ALONE)}
    assert find_weak_segments(frame.iloc[:0], loss[:0], ALONE[:0]) == []


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
    found = find_weak_segments(frame, np.array([1.0] * 50 + [0.0] * 50), np.arange(100))
    assert [(one.segment, one.excess_nats, one.is_weak) for one in found] == [
        ("left", 1.0, True),
        ("right", -1.0, False),
    ]


def test_a_constant_loss_is_weak_nowhere_whatever_rounding_leaves():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"side": rng.choice(["left", "right"], 997), "x": rng.normal(size=997)})
    for loss in (0.1, 1 / 3, 13.8):
        assert not any(one.is_weak for one in find_weak_segments(frame, np.full(997, loss), np.arange(997)))


def test_a_column_that_is_mostly_zero_is_cut_where_it_is_not():
    rng = np.random.default_rng(3)
    column = pd.Series(np.where(rng.random(2_000) < 0.92, 0.0, rng.exponential(3.0, 2_000)))
    segments = dict(cut_column(column))
    assert next(iter(segments)) == "= 0"
    assert len(segments) == 6
    assert np.sum(list(segments.values()), axis=0).tolist() == [1] * 2_000
    loss = np.where(column > 0, 1.0, 0.2) + rng.normal(0, 0.1, 2_000)
    weak = [
        one.segment for one in find_weak_segments(pd.DataFrame({"rain": column}), loss, np.arange(2_000)) if one.is_weak
    ]
    assert "= 0" not in weak
    assert len(weak) >= 1


def test_a_column_of_one_common_and_one_rare_kind_of_number_loses_no_row():
    column = pd.Series([5.0] * 90 + [1.0, 2, 3, 4, 6, 7, 8, 9, 10, 11])
    assert np.sum([is_in for _, is_in in cut_column(column)], axis=0).tolist() == [1] * 100


def test_large_numbers_that_lie_close_together_have_names_of_their_own():
    column = pd.Series(1e9 + np.arange(100.0))
    names = [name for name, _ in cut_column(column)]
    assert len(set(names)) == len(names) == 5
    assert write_numbers(np.array([1.5, 2.0])) == {1.5: "1.5", 2.0: "2"}


def test_a_row_without_a_loss_is_in_no_segment_and_spoils_none(rows):
    frame, loss = rows
    before = find_weak_segments(frame.iloc[1:], loss[1:], ALONE[1:])
    loss[0] = np.nan
    assert find_weak_segments(frame, loss, ALONE) == before


def test_a_segment_of_a_single_day_says_nothing():
    frame = pd.DataFrame({"partition": ["2013-01-01"] * 100 + ["2013-01-02"] * 100})
    assert find_weak_segments(frame, np.arange(200.0), np.repeat([0, 1], 100)) == []


@pytest.mark.parametrize("n_days", [6, 30])
def test_where_days_are_unlike_and_segments_are_not_hardly_any_is_weak_by_chance(n_days: int):
    rng, n_alarms = np.random.default_rng(n_days), 0
    days = np.repeat(np.arange(n_days), 40)
    for _ in range(100):
        loss = rng.exponential(0.3, n_days)[days] + rng.exponential(0.2, len(days))
        weather = rng.normal(size=n_days)[days]  # the same for all rows of a day
        frame = pd.DataFrame({"weather": weather, "hour": rng.integers(0, 5, len(days)), "rain": weather > 0.5})
        n_alarms += any(one.is_weak for one in find_weak_segments(frame, loss, days))
    assert n_alarms <= 10  # stated are at most 5; with rows instead of days it is 97 of 100


def test_a_value_called_as_the_missing_ones_are_is_a_segment_of_its_own():
    segments = dict(cut_column(pd.Series(["(missing)", None, "(missing)", "a"])))
    assert {name: int(is_in.sum()) for name, is_in in segments.items()} == {"((missing))": 1, "(missing)": 2, "a": 1}
