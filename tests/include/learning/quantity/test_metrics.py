"""Figures of numbers and intervals, worked by hand and by others."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from include.learning.quantity import metrics
from include.learning.quantity.heldout import actual_in
from include.learning.quantity.levels import Answers
from include.stats.bootstrap import draw_blocks
from tests.include.learning.quantity.conftest import COSTS, LEVELS


def test_figures_are_those_of_independent_readers():
    rng = np.random.default_rng(4)
    actual, table = rng.normal(10, 3, 300), rng.normal(10, 1, (300, 4))
    table[:, 1], table[:, 2] = 6.0, 14.0
    answers = Answers.from_table(table)
    candidate = metrics.Candidate("m", answers, COSTS.profit(answers.action, actual))
    resamples = draw_blocks(np.arange(300), rng)
    found = {row["metric"]: row for row in metrics.measure(actual, candidate, LEVELS, resamples)}
    assert found["mae"]["value"] == pytest.approx(mean_absolute_error(actual, table[:, 0]))
    assert found["rmse"]["value"] == pytest.approx(root_mean_squared_error(actual, table[:, 0]))
    assert found["coverage"]["value"] == pytest.approx(np.mean((actual >= 6) & (actual <= 14)))
    assert found["width"]["value"] == 8.0
    assert found["bias"]["value"] == pytest.approx((table[:, 0] - actual).mean())
    assert found["expected_profit"]["value"] < 0
    assert all(row["low"] <= row["value"] <= row["high"] for row in found.values())


def test_candidates_are_the_dummy_the_calendar_and_the_models(fitted_bikes):
    found = metrics.make_candidates(fitted_bikes.heldout, COSTS, "linear")
    assert list(found) == ["dummy", "seasonal_naive", "linear_uncalibrated", "linear"]
    assert found["linear"].profit.mean() > found["seasonal_naive"].profit.mean() > found["dummy"].profit.mean() - 5
    assert len(found["linear"].profit) == len(actual_in(fitted_bikes.heldout))


def test_a_chosen_calendar_has_its_moved_answers(fitted_bikes):
    heldout = fitted_bikes.heldout.rename(columns=lambda name: str(name).replace("p_of_seasonal_naive", "p_of_other"))
    found = metrics.make_candidates(heldout, COSTS, "seasonal_naive")
    assert np.array_equal(found["seasonal_naive"].answers.low, heldout["p_model|low"])
