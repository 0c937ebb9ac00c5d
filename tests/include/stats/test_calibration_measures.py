import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from include.errors import BadCounts
from include.stats.calibration_measures import (
    LEAST_WIDTH,
    debiased_calibration_error,
    maximum_calibration_error,
    smooth_calibration_error,
    spiegelhalter_test,
)
from include.stats.corp import ScoredCells
from include.stats.reliability import expected_calibration_error, sum_equal_count


def cells_of(p, y):
    values, place = np.unique(p, return_inverse=True)
    return ScoredCells(values, np.bincount(place).astype(float), np.bincount(place, weights=y))


def smoothed_by_hand(p, y, width):
    """Average |E K(t, p) (y - p)| over t, the kernel summed over its reflections at 0 and 1 one by one."""
    t, total = (np.arange(4_000) + 0.5) / 4_000, np.zeros(4_000)
    for turn in range(-4, 5):
        for image in (2 * turn + p, 2 * turn - p):
            total += np.exp(-(((t[:, None] - image) / width) ** 2) / 2) @ (y - p)
    return np.abs(total / len(p)).mean() / (width * np.sqrt(2 * np.pi))


def smooth_by_hand(p, y):
    """Halve the width until it equals the error it finds."""
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if smoothed_by_hand(p, y, middle) > middle else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.6])
def test_the_smooth_error_is_that_of_kernels_summed_one_by_one(factor):
    rng = np.random.default_rng(1)
    p = rng.uniform(0.02, 0.6, 30).round(2)
    y = (rng.random(30) < factor * p).astype(float)
    assert smooth_calibration_error(cells_of(p, y)) == pytest.approx(smooth_by_hand(p, y), abs=1e-6)


def test_one_constant_prediction_that_is_far_off_worked_by_hand():
    # All mass sits at 1 and is off by 1: whatever the width, the kernel's mass is 1.
    assert smooth_calibration_error(ScoredCells(np.ones(1), np.full(1, 9.0), np.zeros(1))) == pytest.approx(1, abs=1e-6)
    assert smooth_calibration_error(ScoredCells(np.full(1, 0.5), np.full(1, 8.0), np.full(1, 4.0))) == LEAST_WIDTH


def test_what_is_said_for_sure_and_never_happens_is_off_by_one():
    wrong = ScoredCells(np.array([1.0]), np.array([7.0]), np.array([0.0]))
    assert smooth_calibration_error(wrong) == pytest.approx(1.0)
    assert smooth_calibration_error(wrong) <= 1.0


def test_the_smooth_error_of_a_faultless_model_shrinks_with_its_rows():
    rng = np.random.default_rng(2)
    errors = []
    for n_rows in (400, 40_000):
        p = rng.uniform(0, 1, n_rows).round(2)
        errors.append(smooth_calibration_error(cells_of(p, rng.random(n_rows) < p)))
    assert errors[1] < 0.02 < errors[0]


def test_the_debiased_error_is_that_of_shares_drawn_anew():
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 1, 400)
    sums = sum_equal_count(rng.random(400) < p, p, 10)
    n, observed = sums.n_rows, sums.n_positive / sums.n_rows
    drawn = rng.normal(observed, np.sqrt(observed * (1 - observed) / n), (200_000, 10))
    drawn_error = (np.abs(drawn - sums.predicted / n) * n / 400).sum(axis=1).mean()
    plain = expected_calibration_error(sums)
    assert debiased_calibration_error(sums) == pytest.approx(max(0, 2 * plain - drawn_error), abs=3e-4)
    assert debiased_calibration_error(sums) < plain


def test_the_debiased_error_is_nearer_to_the_true_one():
    rng = np.random.default_rng(4)
    plain, debiased = [], []
    for _ in range(200):
        p = rng.uniform(0, 1, 500)
        sums = sum_equal_count(rng.random(500) < 0.9 * p, p, 10)
        plain.append(expected_calibration_error(sums))
        debiased.append(debiased_calibration_error(sums))
    # True: a tenth of what is said, 0.05 on average.
    assert abs(np.mean(debiased) - 0.05) < abs(np.mean(plain) - 0.05)
    assert np.mean(debiased) == pytest.approx(0.05, abs=0.01)


def test_the_worst_bin_worked_by_hand():
    p, y = np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, True, True, True])
    assert maximum_calibration_error(sum_equal_count(y, p, 2)) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=80))
def test_spiegelhalter_holds_the_brier_score_against_the_promised_one(rows):
    p, y = np.array([value / 50 for value, _ in rows]), np.array([int(label) for _, label in rows])
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    found = spiegelhalter_test(float(((y - p) * (1 - 2 * p)).sum()), variance)
    if variance == 0:
        assert found is None
    else:
        z = (((p - y) ** 2).sum() - (p * (1 - p)).sum()) / variance**0.5
        assert (found.z, found.p_value) == pytest.approx((z, 2 * (1 - norm.cdf(abs(z)))), abs=1e-9)


def test_a_faultless_model_fails_spiegelhalter_as_often_as_stated():
    rng = np.random.default_rng(5)
    n_failed = 0
    for _ in range(1_000):
        p = rng.beta(1, 3, 500)
        y = rng.random(500) < p
        found = spiegelhalter_test(float(((y - p) * (1 - 2 * p)).sum()), float(((1 - 2 * p) ** 2 * p * (1 - p)).sum()))
        n_failed += found.p_value < 0.05
    assert 30 < n_failed < 72


def test_nothing_has_no_error():
    with pytest.raises(BadCounts, match="at least 1 labelled row"):
        smooth_calibration_error(ScoredCells(*np.zeros((3, 0))))
    empty = sum_equal_count(np.zeros(0, dtype=bool), np.zeros(0), 10)
    for measure in (debiased_calibration_error, maximum_calibration_error):
        with pytest.raises(BadCounts, match="at least 1 labelled row"):
            measure(empty)
