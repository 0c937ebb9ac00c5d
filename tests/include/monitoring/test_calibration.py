import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from include.monitoring.calibration import (
    BinSums,
    area_under_curve,
    brier_score,
    error_by_chance,
    expected_calibration_error,
    log_loss,
    reliability_bins,
    summarise,
    wilson_interval,
)


def sums_of(p, y, n_bins=10):
    """Sum rows by hand, the slow and plain way, to compare with."""
    p, y = np.asarray(p, float), np.asarray(y, float)
    index = np.minimum((p * n_bins).astype(int), n_bins - 1)
    safe = np.clip(p, 1e-15, 1 - 1e-15)

    def add(values):
        return np.bincount(index, weights=values, minlength=n_bins)

    positive, negative = p[y == 1], p[y == 0]
    won = (positive[:, None] > negative).sum() + 0.5 * (positive[:, None] == negative).sum()
    likelihood = np.where(y == 1, np.log(safe), np.log(1 - safe))
    return BinSums(add(np.ones_like(p)), add(y), add(p), add(p * p), add(p * y), add(likelihood), float(won))


# Four rows in two bins: 0.2 said twice and seen once in two, 0.9 said twice and seen twice.
P, Y = [0.2, 0.2, 0.9, 0.9], [0, 1, 1, 1]


def test_four_rows_worked_by_hand():
    sums = sums_of(P, Y)
    assert expected_calibration_error(sums) == pytest.approx(0.5 * abs(0.2 - 0.5) + 0.5 * abs(0.9 - 1.0))
    assert brier_score(sums) == pytest.approx((0.04 + 0.64 + 0.01 + 0.01) / 4)
    assert log_loss(sums) == pytest.approx(-(math.log(0.8) + math.log(0.2) + 2 * math.log(0.9)) / 4)
    # One negative row at 0.2 against positives at 0.2 (a tie), 0.9 and 0.9.
    assert area_under_curve(sums) == pytest.approx((0.5 + 1 + 1) / 3)


def test_only_bins_with_rows_are_described_and_one_belongs_to_the_last():
    bins = reliability_bins(sums_of([0.0, 0.05, 1.0], [0, 1, 1]))
    assert [row["bin_index"] for row in bins] == [0, 9]
    assert [(row["n_rows"], row["n_positive"]) for row in bins] == [(2, 1), (1, 1)]
    assert (bins[0]["bin_low"], bins[0]["bin_high"], bins[1]["bin_high"]) == pytest.approx((0.0, 0.1, 1.0))
    assert (bins[0]["mean_predicted_ratio"], bins[0]["observed_ratio"]) == pytest.approx((0.025, 0.5))


def test_bins_are_bins_and_not_edges():
    p = (np.arange(400) + 0.5) / 400
    assert [row["n_rows"] for row in reliability_bins(sums_of(p, p > 0.5, n_bins=4))] == [100] * 4


def test_wilson_intervals_of_the_usual_tables():
    low, high = wilson_interval(np.array([0.0, 1.0, 10.0, 10.0]), np.array([10.0, 10.0, 100.0, 10.0]))
    assert low == pytest.approx([0.0, 0.01787, 0.05523, 0.72247], abs=1e-5)
    assert high == pytest.approx([0.27753, 0.40415, 0.17437, 1.0], abs=1e-5)


def test_a_surer_interval_is_wider_and_success_mirrors_failure():
    narrow = wilson_interval(np.array([3.0]), np.array([10.0]))
    wide = wilson_interval(np.array([3.0]), np.array([10.0]), z=3.0)
    assert wide[0] < narrow[0]
    assert wide[1] > narrow[1]
    mirrored = wilson_interval(np.array([7.0]), np.array([10.0]))
    assert (1 - mirrored[1][0], 1 - mirrored[0][0]) == pytest.approx((narrow[0][0], narrow[1][0]))


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=80))
def test_the_sums_say_what_the_rows_say(rows):
    p = np.array([value / 50 for value, _ in rows])
    y = np.array([int(label) for _, label in rows])
    sums = sums_of(p, y)
    assert brier_score(sums) == pytest.approx(brier_score_loss(y, p, labels=[0, 1]), abs=1e-12)
    assert log_loss(sums) == pytest.approx(
        sklearn_log_loss(y, np.clip(p, 1e-15, 1 - 1e-15), labels=[0, 1]), rel=1e-9, abs=1e-12
    )
    assert 0 <= expected_calibration_error(sums) <= 1
    auc, mirrored = area_under_curve(sums), area_under_curve(sums_of(1 - p, y))
    assert (auc is None) == (y.min() == y.max())
    assert auc is None or auc == pytest.approx(1 - mirrored)


def test_a_faultless_model_stays_below_chance_and_a_wrong_one_does_not():
    rng = np.random.default_rng(11)
    exceeded = 0
    for _ in range(400):
        p = rng.random(300)
        sums = sums_of(p, rng.random(300) < p)
        exceeded += expected_calibration_error(sums) > error_by_chance(sums)
    assert exceeded <= 3  # once in a thousand: 0.4 expected
    p = rng.random(300)
    sums = sums_of(p, rng.random(300) < p**3)
    assert expected_calibration_error(sums) > error_by_chance(sums)


def test_chance_is_half_normal_when_worked_by_hand():
    # 100 rows at 0.5: variance 25, so mean sqrt(50 / pi) and deviation sqrt(25 (1 - 2 / pi)), both over 100 rows.
    sums = sums_of([0.5] * 100, [1] * 100)
    expected = (math.sqrt(50 / math.pi) + 2 * math.sqrt(25 * (1 - 2 / math.pi))) / 100
    assert error_by_chance(sums, z=2) == pytest.approx(expected)
    assert error_by_chance(sums) > error_by_chance(sums, z=2)


def test_without_labels_there_are_counts_and_no_figures():
    figures = summarise(sums_of([], []))
    assert (figures.pop("n_labelled"), figures.pop("n_positive")) == (0, 0)
    assert set(figures.values()) == {None}


def test_one_class_has_every_figure_but_the_curve():
    figures = summarise(sums_of([0.1, 0.3], [0, 0]))
    assert figures["auc_ratio"] is None
    assert (figures["positive_ratio"], figures["mean_predicted_ratio"]) == pytest.approx((0.0, 0.2))
    assert figures["ece_ratio"] == pytest.approx(0.2)
