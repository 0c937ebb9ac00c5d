import numpy as np
import pandas as pd
import pytest

from include.learning.explain.partial_dependence import draw_curve, usual_values
from include.stats.bootstrap import draw_blocks

AS_THEY_ARE = draw_blocks(np.arange(4), np.random.default_rng(0))


def predict(frame):
    return np.clip(0.1 * frame["a"].to_numpy(dtype=float) + 0.2 * (frame["line"] == "red").to_numpy(), 0, 1)


@pytest.fixture
def frame():
    line = pd.Categorical(["red", "blue", "blue", None], categories=["blue", "red"])
    return pd.DataFrame({"a": [1.0, 2.0, 3.0, np.nan], "line": line})


def test_a_curve_is_the_mean_over_all_rows_set_to_one_value(frame):
    points = draw_curve(predict, frame, "a", AS_THEY_ARE)
    # One of four rows is red, which adds .05 on average.
    assert [(point.value, point.position) for point in points] == [("1", 0), ("2", 1), ("3", 2)]
    assert [point.p_positive for point in points] == pytest.approx([0.15, 0.25, 0.35])
    assert {point.n_rows for point in points} == {4}


def test_categories_are_set_the_most_frequent_first(frame):
    points = draw_curve(predict, frame.fillna({"a": 0.0}), "line", AS_THEY_ARE)
    assert [point.value for point in points] == ["blue", "red"]
    assert [point.p_positive for point in points] == pytest.approx([0.15, 0.35])


def test_the_interval_holds_the_mean_and_a_feature_without_a_value_has_no_curve(frame):
    resamples = draw_blocks(np.arange(4), np.random.default_rng(0))
    assert all(point.low <= point.p_positive <= point.high for point in draw_curve(predict, frame, "a", resamples))
    assert draw_curve(predict, frame.assign(a=np.nan), "a", resamples) == []


def test_usual_values_are_values_that_occur_and_at_most_eleven():
    values = usual_values(pd.Series(np.arange(1000) ** 2 * 1.0))
    assert len(values) == 11
    assert (values[0], values[-1]) == (0.0, 999.0**2)
    assert all(float(value) ** 0.5 % 1 == 0 for value in values)
    many = pd.Series(pd.Categorical([f"c{number % 40:02d}" for number in range(400)] + ["c39"]))
    assert usual_values(many)[:2] == ["c39", "c00"]
    assert len(usual_values(many)) == 12
