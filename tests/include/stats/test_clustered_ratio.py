import numpy as np
import pytest
from scipy.stats import binom

from include.errors import BadCounts
from include.stats.clustered_ratio import ratio_design_effect
from include.stats.wilson import wilson_interval


def sums_of(units, hits):
    m, y = np.asarray(units, dtype=float), np.asarray(hits, dtype=float)
    return len(m), m.sum(), y.sum(), (m * m).sum(), (m * y).sum(), (y * y).sum()


def test_three_households_by_hand():
    # R = 3/6; sum y² - 2R sum my + R² sum m² = 5 - 8 + 14/4 = 0.5; 3/2 * 0.5 / 36 over 0.25 / 6.
    assert ratio_design_effect(*sums_of([1, 2, 3], [0, 1, 2])) == pytest.approx(max(1.0, (0.75 / 36) / (0.25 / 6)))
    # R = 4/8, all alike in a household of 2: 8 - 8 + 4 = 4; 4/3 * 4 / 64 over 0.25 / 8.
    assert ratio_design_effect(*sums_of([2, 2, 2, 2], [2, 2, 0, 0])) == pytest.approx((4 / 3 * 4 / 64) / (0.25 / 8))


def test_units_that_are_their_own_clusters_say_all_they_can():
    hits = np.arange(1_000) % 3 == 0
    assert ratio_design_effect(*sums_of(np.ones(1_000), hits)) == pytest.approx(1_000 / 999)


def test_people_of_a_household_who_do_the_same_count_once():
    effect = ratio_design_effect(*sums_of(np.full(500, 4), 4 * (np.arange(500) % 2)))
    assert effect == pytest.approx(4 * 500 / 499)


@pytest.mark.parametrize("hits", [[0, 0], [3, 5]])
def test_where_nothing_varies_households_are_taken_to_be_alike(hits):
    assert ratio_design_effect(*sums_of([3, 5], hits)) == pytest.approx(34 / 8)
    assert ratio_design_effect(*sums_of([8], [2])) == 8.0


@pytest.mark.parametrize("sums", [(0, 0, 0, 0, 0, 0), (3, 2, 1, 2, 1, 1), (1, 2, 3, 4, 6, 9)])
def test_what_is_no_sum_over_clusters_is_refused(sums):
    with pytest.raises(BadCounts, match="no sums over clusters"):
        ratio_design_effect(*sums)


def test_the_interval_of_households_of_one_to_six_holds_as_often_as_stated():
    rng, n_missed, n_naive = np.random.default_rng(23), 0, 0
    for _ in range(1_000):
        sizes = rng.integers(1, 7, 200)
        # Rates of households spread around 0.3: people of one answer alike.
        hits = rng.binomial(sizes, rng.beta(0.9, 2.1, 200))
        n, k = sizes.sum(), hits.sum()
        effect = ratio_design_effect(*sums_of(sizes, hits))
        low, high = wilson_interval(k / effect, n / effect)
        n_missed += not low <= 0.3 <= high
        low, high = wilson_interval(float(k), float(n))
        n_naive += not low <= 0.3 <= high
    assert binom.sf(n_missed - 1, 1_000, 0.055) > 0.001
    assert n_naive > 120
