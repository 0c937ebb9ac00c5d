import numpy as np
import pytest
from scipy.stats import ttest_ind

from include.errors import BadCounts
from include.stats.ratio_sums import (
    Estimate,
    RatioSums,
    difference_interval,
    difference_p_value,
    estimate_ratio,
    mean_interval,
)


def sum_up(y, m=None):
    y = np.asarray(y, dtype=float)
    m = np.ones(len(y)) if m is None else np.asarray(m, dtype=float)
    return RatioSums(len(y), *map(float, (y.sum(), m.sum(), y @ y, m @ m, y @ m)))


@pytest.fixture
def money():
    rng = np.random.default_rng(7)
    return rng.lognormal(0, 1, 3_000) * 0.8 + rng.lognormal(0, 1, 3_000)


def test_a_mean_of_three_is_worked_by_hand():
    found = estimate_ratio(sum_up([1, 2, 6]))
    assert (found.mean, found.n) == (3.0, 3)
    assert found.variance == pytest.approx(7 / 3)  # 14 / 2 over 3


def test_a_ratio_has_the_variance_of_its_linearised_draws():
    rng = np.random.default_rng(3)
    m = rng.integers(1, 9, 500)
    y = m * 2 + rng.normal(0, 1, 500)
    found, ratio = estimate_ratio(sum_up(y, m)), y.sum() / m.sum()
    assert found.mean == pytest.approx(ratio)
    assert found.variance == pytest.approx(np.var(y - ratio * m, ddof=1) / 500 / m.mean() ** 2, rel=1e-9)


def test_the_interval_and_p_value_are_those_of_welch(money):
    y = money
    a, b = y[:1_000] + 0.2, y[1_000:]
    sides = estimate_ratio(sum_up(a)), estimate_ratio(sum_up(b))
    peer = ttest_ind(a, b, equal_var=False)
    ends = peer.confidence_interval(0.9)
    assert difference_p_value(*sides) == pytest.approx(peer.pvalue, rel=1e-9)
    assert difference_interval(*sides, 0.1) == pytest.approx((ends.low, ends.high), rel=1e-9)


def test_changing_the_sign_mirrors_the_interval(money):
    y = money
    low, high = difference_interval(estimate_ratio(sum_up(y[:99])), estimate_ratio(sum_up(y[99:])), 0.05)
    mirrored = difference_interval(estimate_ratio(sum_up(-y[:99])), estimate_ratio(sum_up(-y[99:])), 0.05)
    assert mirrored == pytest.approx((-high, -low))


@pytest.mark.parametrize("y", [[5.0], [5.0] * 40, [0.1] * 1_000])
def test_what_never_varied_has_no_interval(y):
    one = estimate_ratio(sum_up(y))
    assert one.variance == 0.0
    assert (difference_interval(one, one, 0.05), difference_p_value(one, one), mean_interval(one)) == (None,) * 3


def test_one_mean_has_students_interval():
    low, high = mean_interval(Estimate(1.0, 4.0, 5), 0.05)
    assert (low, high) == pytest.approx((1 - 2 * 2.776445, 1 + 2 * 2.776445))


@pytest.mark.parametrize("sums", [RatioSums(0, 0, 0, 0, 0, 0), RatioSums(3, 1, 0, 1, 0, 0)])
def test_nothing_measured_by_nothing_is_refused(sums):
    with pytest.raises(BadCounts, match="have no mean"):
        estimate_ratio(sums)
