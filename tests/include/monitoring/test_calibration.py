import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from include.monitoring.calibration import (
    NOTHING,
    ScoreSums,
    area_under_curve,
    brier_score,
    curve_points,
    reliability_bins,
    summarise,
)
from include.stats.corp import ScoredCells
from include.stats.reliability import log_odds_of, sum_equal_count, sum_equal_width


def sums_of(p, y):
    """Sum rows by hand, the slow and plain way, to compare with."""
    p, y = np.asarray(p, float), np.asarray(y, float)
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    positive, negative = p[y == 1], p[y == 0]
    won = (positive[:, None] > negative).sum() + 0.5 * (positive[:, None] == negative).sum()
    values, cell = np.unique(p, return_inverse=True)
    place = np.ceil(np.searchsorted(np.sort(p), p, side="right") / max(len(p), 1) * 100 - 1e-9).astype(int) - 1
    return ScoreSums(
        by_width=sum_equal_width(y == 1, p),
        by_count=sum_equal_count(y == 1, p, 100),
        log_odds=np.bincount(place, weights=log_odds_of(p), minlength=100),
        predicted_positive=float((p * y).sum()),
        score_variance=float(((1 - 2 * p) ** 2 * p * (1 - p)).sum()),
        log_likelihood=float(np.where(y == 1, np.log(safe), np.log(1 - safe)).sum()),
        n_pairs_won=float(won),
        cells=ScoredCells(values, np.bincount(cell).astype(float), np.bincount(cell, weights=y)),
    )


# Four rows in two bins: 0.2 said twice and seen once in two, 0.9 said twice and seen twice.
P, Y = [0.2, 0.2, 0.9, 0.9], [0, 1, 1, 1]


def test_four_rows_worked_by_hand():
    sums, figures = sums_of(P, Y), summarise(sums_of(P, Y))
    assert figures["ece_ratio"] == pytest.approx(0.5 * abs(0.2 - 0.5) + 0.5 * abs(0.9 - 1.0))
    assert brier_score(sums) == pytest.approx((0.04 + 0.64 + 0.01 + 0.01) / 4)
    assert figures["log_loss_nats"] == pytest.approx(-(math.log(0.8) + math.log(0.2) + 2 * math.log(0.9)) / 4)
    # One negative row at 0.2 against positives at 0.2 (a tie), 0.9 and 0.9.
    assert area_under_curve(sums) == pytest.approx((0.5 + 1 + 1) / 3)


def test_only_bins_with_rows_are_described_and_one_belongs_to_the_last():
    bins = reliability_bins(sum_equal_width(np.array([False, True, True]), np.array([0.0, 0.05, 1.0])))
    assert [row["bin_index"] for row in bins] == [0, 9]
    assert [(row["n_rows"], row["n_positive"]) for row in bins] == [(2, 1), (1, 1)]
    assert (bins[0]["bin_low"], bins[0]["bin_high"], bins[1]["bin_high"]) == pytest.approx((0.0, 0.1, 1.0))
    assert (bins[0]["mean_predicted_ratio"], bins[0]["observed_ratio"]) == pytest.approx((0.025, 0.5))


def test_bins_are_bins_and_not_edges():
    p = (np.arange(400) + 0.5) / 400
    assert [row["n_rows"] for row in reliability_bins(sum_equal_width(p > 0.5, p, 4))] == [100] * 4


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=80))
def test_the_sums_say_what_the_rows_say(rows):
    p = np.array([value / 50 for value, _ in rows])
    y = np.array([int(label) for _, label in rows])
    sums = sums_of(p, y)
    assert brier_score(sums) == pytest.approx(brier_score_loss(y, p, labels=[0, 1]), abs=1e-12)
    assert summarise(sums)["log_loss_nats"] == pytest.approx(
        sklearn_log_loss(y, np.clip(p, 1e-6, 1 - 1e-6), labels=[0, 1]), rel=1e-9, abs=1e-12
    )


def test_rare_events_that_are_half_as_rare_show_although_the_plain_error_is_tiny():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 120, 60_000)
    figures = summarise(sums_of(p, rng.random(60_000) < p * 0.4))
    assert figures["ece_ratio"] < 0.01
    assert figures["relative_error_ratio"] > 1
    assert figures["ece_equal_count_ratio"] > figures["ece_equal_count_chance_ratio"]


def test_a_model_that_is_too_sure_has_a_slope_below_one():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.98, 20_000)
    truth = 1 / (1 + np.exp(-0.5 * log_odds_of(p) - 0.4))
    figures = summarise(sums_of(p, rng.random(20_000) < truth))
    assert figures["calibration_slope"] == pytest.approx(0.5, abs=0.05)
    assert figures["calibration_intercept"] == pytest.approx(0.4, abs=0.06)


def test_the_parts_of_both_scores_add_up_to_them():
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 1, 500).round(2)
    figures = summarise(sums_of(p, rng.random(500) < p**2))
    for unit, score in (("brier", "brier_score"), ("nats", "log_loss_nats")):
        parts = [figures[f"{part}_{unit}"] for part in ("miscalibration", "discrimination", "uncertainty")]
        assert parts[0] - parts[1] + parts[2] == pytest.approx(figures[score], abs=1e-15)
        assert min(parts) > 0


def test_a_model_that_says_too_much_is_off_by_every_measure():
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, 4_000).round(2)
    honest, off = (summarise(sums_of(p, rng.random(4_000) < factor * p)) for factor in (1.0, 0.7))
    for name in ("smooth_ece_ratio", "ece_debiased_ratio", "mce_ratio", "spiegelhalter_z"):
        assert off[name] > 2 * abs(honest[name]), name
    assert off["spiegelhalter_p_value"] < 1e-6 < 0.01 < honest["spiegelhalter_p_value"]
    # Said 0.5 on average, and seven tenths of it happen.
    assert off["ece_debiased_ratio"] == pytest.approx(0.15, abs=0.02)
    assert off["smooth_ece_ratio"] == pytest.approx(0.15, abs=0.02)


def test_spiegelhalter_from_sums_is_that_of_the_rows():
    rng = np.random.default_rng(6)
    p, y = rng.uniform(0, 1, 300).round(2), rng.integers(0, 2, 300)
    z = ((y - p) * (1 - 2 * p)).sum() / ((1 - 2 * p) ** 2 * p * (1 - p)).sum() ** 0.5
    assert summarise(sums_of(p, y))["spiegelhalter_z"] == pytest.approx(z, abs=1e-9)
    assert summarise(sums_of([0.5, 0.5], [0, 1]))["spiegelhalter_z"] is None


def test_measuring_again_draws_the_same_band_and_another_partition_another():
    rng = np.random.default_rng(4)
    p = rng.uniform(0, 1, 500).round(2)
    sums = sums_of(p, rng.random(500) < p)
    first = curve_points(sums, "p/2013-01/v1")
    assert first == curve_points(sums, "p/2013-01/v1")
    assert first != curve_points(sums, "p/2013-02/v1")
    assert [row["point_index"] for row in first] == list(range(len(first)))
    assert sum(row["n_rows"] for row in first) == 500
    assert curve_points(NOTHING, "p/2013-01/v1") == []


def test_without_labels_there_are_counts_and_no_figures():
    figures = summarise(NOTHING)
    assert (figures.pop("n_labelled"), figures.pop("n_positive")) == (0, 0)
    assert set(figures.values()) == {None}


def test_one_class_has_every_figure_but_those_that_two_are_needed_for():
    figures = summarise(sums_of([0.1, 0.3], [0, 0]))
    without = {name for name, value in figures.items() if value is None}
    assert without == {"auc_ratio", "relative_error_ratio", "calibration_slope", "calibration_intercept"}
    assert (figures["positive_ratio"], figures["mean_predicted_ratio"]) == pytest.approx((0.0, 0.2))
    assert figures["ece_ratio"] == pytest.approx(0.2)
