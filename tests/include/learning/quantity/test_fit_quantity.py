"""Which candidate is chosen, and what was held out from it."""

import numpy as np
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.splits import TimeSplit, split_by_time
from include.learning.quantity.fit_quantity import fit_quantity, is_high, newest_partitions
from include.learning.quantity.heldout import actual_in, answers_of
from tests.include.learning.quantity.conftest import COSTS, LEVELS, TRAINING, make_rows


def test_what_reads_features_beats_the_calendar_and_is_chosen(fitted_bikes):
    assert fitted_bikes.model_name == "linear"
    costs = {choice.candidate: choice.cost for choice in fitted_bikes.choices}
    assert costs["linear"] < 0.75 * costs["seasonal_naive"]
    assert set(fitted_bikes.feature_auc) == {"warmth_c", "wind_ms", "size"}


def test_intervals_hold_on_days_that_nothing_was_fitted_on(fitted_bikes):
    held = answers_of(fitted_bikes.heldout, "p_model").is_held(actual_in(fitted_bikes.heldout))
    assert 0.83 < held.mean() < 0.98
    assert set(fitted_bikes.heldout["_partition_key"]) == {"2013-03-20"}


def test_what_serves_has_seen_all_but_the_newest_days(fitted_bikes):
    rows = make_rows(seed=0)
    newest = rows["_partition_key"].isin(["2013-03-19", "2013-03-20"])
    assert (fitted_bikes.n_train, fitted_bikes.n_calibrate) == (int((~newest).sum()), int(newest.sum()))
    assert fitted_bikes.model.fitted_through == "2013-03-18"


def test_a_constant_number_teaches_nothing():
    rows = make_rows(6).assign(_labels=3.0)
    split = split_by_time(sorted(set(rows["_partition_key"])), 1)
    with pytest.raises(NotEnoughLabels, match="rows to fit on have the label 3"):
        fit_quantity(rows, split, TRAINING, LEVELS, COSTS)


def test_rows_of_one_group_are_never_on_both_sides():
    rows = make_rows(12)
    grouped = TRAINING.model_copy(update={"group": "station_id"})
    fitted = fit_quantity(rows, split_by_time(sorted(set(rows["_partition_key"])), 2), grouped, LEVELS, COSTS)
    assert fitted.n_left_out > 0
    assert fitted.heldout["_row_key"].str[:3].nunique() < 5


def test_other_costs_move_the_plan_and_nothing_else_of_the_choice():
    rows = make_rows(12)
    split = split_by_time(sorted(set(rows["_partition_key"])), 2)
    cheap = type(LEVELS)("squared", 0.9, 0.25)
    plans = [
        answers_of(fit_quantity(rows, split, TRAINING, levels, COSTS).heldout, "p_model") for levels in (LEVELS, cheap)
    ]
    assert np.mean(plans[0].action) > np.mean(plans[1].action) + 3
    assert plans[0].low == pytest.approx(plans[1].low)


def test_as_many_of_the_newest_days_make_intervals_hold_as_calibrate():
    assert newest_partitions(TimeSplit(("a",), ("b", "c"), ("d",))) == ["c", "d"]
    assert newest_partitions(TimeSplit(("a",), ("b",), ("c",))) == ["c"]


def test_without_a_refit_the_measured_model_serves():
    rows = make_rows(12)
    split = split_by_time(sorted(set(rows["_partition_key"])), 1)
    kept = fit_quantity(rows, split, TRAINING.model_copy(update={"refit": "none"}), LEVELS, COSTS)
    moved = fit_quantity(rows, split, TRAINING, LEVELS, COSTS)
    assert (kept.model.fitted_through, moved.model.fitted_through) == ("2013-03-09", "2013-03-10")
    assert kept.n_train < moved.n_train


def test_thin_newest_days_leave_the_offsets_enough_rows():
    rows = make_rows(12)
    keys = sorted(set(rows["_partition_key"]))
    is_thin = rows["_partition_key"] == keys[-1]
    rows = rows[~is_thin | (is_thin.cumsum() <= 3)].reset_index(drop=True)
    fitted = fit_quantity(rows, TimeSplit(tuple(keys[:-2]), (keys[-2],), (keys[-1],)), TRAINING, LEVELS, COSTS)
    assert (fitted.n_calibrate > 100, fitted.model.fitted_through) == (True, keys[-3])


@pytest.mark.parametrize("seed", range(8))
def test_few_groups_are_on_both_sides_or_what_was_measured_serves(seed):
    rows = make_rows(12)
    rows = rows[rows["station_id"] < "s03"].reset_index(drop=True)
    grouped = TRAINING.model_copy(update={"group": "station_id", "seed": seed})
    try:
        fitted = fit_quantity(rows, split_by_time(sorted(set(rows["_partition_key"])), 2), grouped, LEVELS, COSTS)
    except NotEnoughLabels:
        return  # the first split left one of its parts empty, and says so
    assert fitted.n_calibrate >= 19
    assert fitted.n_train >= 30


def test_at_a_capacity_the_capacity_is_high():
    assert is_high(np.array([1.0, 2.0, 9.0, 9.0, 9.0])).tolist() == [False, False, True, True, True]
    assert is_high(np.array([1.0, 2.0, 3.0])).tolist() == [False, False, True]
