import numpy as np
import pytest
from scipy import stats

from include.stats.block_means import compare_means, variance_of_mean

ALONE = np.arange(6)
VALUES = np.array([1.0, 2.0, 6.0, 0.0, 1.0, 2.0])
IS_IN = np.array([True, True, True, False, False, False])


def test_the_variance_of_single_rows_is_the_usual_one():
    variance, n_blocks = variance_of_mean(VALUES, ALONE)
    assert (variance, n_blocks) == (pytest.approx(VALUES.var(ddof=1) / 6), 6)


def test_rows_that_repeat_in_a_block_say_nothing_new():
    twice = variance_of_mean(np.repeat(VALUES, 2), np.repeat(ALONE, 2))
    assert twice == pytest.approx(variance_of_mean(VALUES, ALONE))


def test_one_block_has_no_variance_and_no_difference():
    assert np.isnan(variance_of_mean(VALUES, np.zeros(6, dtype=int))[0])
    assert compare_means(VALUES, IS_IN, np.array([0, 0, 0, 1, 2, 3])) is None


def test_sides_turned_round_differ_the_other_way():
    found, mirror = compare_means(VALUES, IS_IN, ALONE), compare_means(VALUES, ~IS_IN, ALONE)
    assert (found.value, found.low, found.high) == pytest.approx((-mirror.value, -mirror.high, -mirror.low))
    assert found.p_value == pytest.approx(1 - mirror.p_value)
    assert found.value == pytest.approx(2.0)


def test_names_of_blocks_do_not_matter():
    days = np.array([0, 0, 1, 1, 2, 2])
    assert compare_means(VALUES, IS_IN, days) == compare_means(VALUES, IS_IN, 1_000 - 7 * days)


def test_sides_without_spread_differ_surely_or_not_at_all():
    more = compare_means(np.where(IS_IN, 2.0, 1.0), IS_IN, ALONE)
    assert (more.low, more.high, more.p_value) == (1.0, 1.0, 0.0)
    assert compare_means(np.ones(6), IS_IN, ALONE).p_value == 1.0


@pytest.mark.parametrize("n_inside", [2, 3, 6])
def test_an_interval_holds_as_often_as_stated_however_few_days_a_side_has(n_inside):
    rng, n_held = np.random.default_rng(0), 0
    days = np.repeat(np.arange(12), 20)
    is_in = days < n_inside
    for _ in range(400):
        found = compare_means(rng.normal(size=12)[days] + rng.normal(size=240), is_in, days)
        n_held += found.low <= 0 <= found.high
    assert n_held >= stats.binom.ppf(0.001, 400, 0.95)
