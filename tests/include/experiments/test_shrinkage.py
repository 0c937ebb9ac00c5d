import numpy as np
import pytest

from include.experiments.shrinkage import shrink_means


def test_equal_errors_draw_means_towards_their_middle():
    shrunk = shrink_means(np.array([0.0, 1.0]), np.array([0.5, 0.5]), scale=1.0)
    assert shrunk.sum() == pytest.approx(1.0)
    assert 0.0 < shrunk[0] < shrunk[1] < 1.0


def test_small_errors_leave_means_where_they_are():
    means = np.array([0.1, 0.2, 0.4])
    assert shrink_means(means, np.full(3, 1e-6), scale=0.1) == pytest.approx(means, abs=1e-6)


def test_the_least_certain_mean_is_drawn_most():
    shrunk = shrink_means(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.1, 0.8]), scale=0.5)
    assert shrunk[3] < shrunk[2]


def test_order_shift_and_unit_change_nothing_else():
    means, errors = np.array([0.1, 0.3, 0.2]), np.array([0.05, 0.1, 0.02])
    shrunk = shrink_means(means, errors, scale=0.1)
    assert shrink_means(means[::-1], errors[::-1], scale=0.1)[::-1] == pytest.approx(shrunk)
    assert shrink_means(-means, errors, scale=0.1) == pytest.approx(-shrunk)
    assert shrink_means(100 * means + 7, 100 * errors, scale=10.0) == pytest.approx(100 * shrunk + 7)


def test_a_larger_scale_draws_less():
    means, errors = np.array([0.0, 0.1]), np.array([0.05, 0.05])
    assert np.ptp(shrink_means(means, errors, scale=1.0)) > np.ptp(shrink_means(means, errors, scale=0.01))


def test_the_luck_of_the_best_is_taken_off():
    rng = np.random.default_rng(3)
    true = rng.normal(0.0, 0.02, size=(2_000, 4))
    seen = true + rng.normal(0.0, 0.03, size=true.shape)
    best = seen.argmax(axis=1)
    rows = np.arange(len(true))
    shrunk = np.array([shrink_means(row, np.full(4, 0.03), scale=0.02) for row in seen])
    raw_error = (seen[rows, best] - true[rows, best]).mean()
    shrunk_error = (shrunk[rows, best] - true[rows, best]).mean()
    assert raw_error > 0.015
    assert abs(shrunk_error) < 0.3 * raw_error
