import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import binom, chi2

from include.stats.divergence import index_by_chance, jensen_shannon_distance, population_stability_index

HERE, THERE = np.array([10, 30, 60]), np.array([300, 300, 400])


def test_the_index_is_the_divergence_both_ways():
    p, q = HERE / 100, THERE / 1_000
    assert population_stability_index(HERE, THERE) == pytest.approx(rel_entr(p, q).sum() + rel_entr(q, p).sum())


def test_the_distance_is_that_of_a_second_implementation():
    assert jensen_shannon_distance(HERE, THERE) == pytest.approx(jensenshannon(HERE, THERE, base=2))


def test_both_are_the_same_seen_from_the_other_side_and_nothing_from_the_same():
    for measure in (population_stability_index, jensen_shannon_distance):
        assert measure(HERE, THERE) == pytest.approx(measure(THERE, HERE))
        assert measure(THERE, 3 * THERE) == pytest.approx(0.0, abs=1e-7)


def test_counts_without_a_bin_in_common_are_as_far_apart_as_can_be():
    assert jensen_shannon_distance(np.array([5, 0]), np.array([0, 7])) == 1.0
    assert math.isfinite(population_stability_index(np.array([5, 0]), np.array([0, 7])))


def test_a_bin_that_nobody_uses_changes_nothing():
    assert population_stability_index(np.array([10, 0, 90]), np.array([50, 0, 50])) == population_stability_index(
        np.array([10, 90]), np.array([50, 50])
    )


@pytest.mark.parametrize("shares", [[0.1] * 10, [0.92, *[0.008] * 10]], ids=["tenths", "92 % zeros"])
def test_chance_alone_exceeds_its_mark_once_in_a_thousand(shares: list[float]):
    rng, n_above, n_runs = np.random.default_rng(9), 0, 400
    for _ in range(n_runs):
        here, there = rng.multinomial(300, shares), rng.multinomial(3_000, shares)
        n_above += population_stability_index(here, there) > index_by_chance(here, there, probability=0.98)
    assert binom.cdf(n_above, n_runs, 0.02) < 0.999
    assert binom.sf(n_above, n_runs, 0.02) < 0.999


def test_the_mark_is_that_of_chi_square_but_near_it_where_it_is_drawn():
    there = np.full(10, 50_000)
    by_hand = (1 / 50_000 + 1 / 500_000) * chi2.ppf(0.999, 9)
    assert index_by_chance(np.full(10, 5_000), there) == pytest.approx(by_hand)
    near = np.full(10, 5_000) + np.array([150, -150] * 5)
    assert 0.8 * by_hand < population_stability_index(near, there) < 3 * by_hand
    assert index_by_chance(near, there) == pytest.approx(by_hand, rel=0.08)
    assert index_by_chance(near, there) == index_by_chance(near, there) != by_hand


def test_one_bin_cannot_move():
    assert index_by_chance(np.array([10, 0]), np.array([10, 0])) == 0.0


def test_the_index_worked_by_hand():
    # Shares 0.2, 0.3, 0.5 against 0.4, 0.4, 0.2.
    expected = (0.2 - 0.4) * math.log(0.5) + (0.3 - 0.4) * math.log(0.75) + (0.5 - 0.2) * math.log(2.5)
    assert population_stability_index(np.array([20, 30, 50]), np.array([80, 80, 40])) == pytest.approx(expected)


def test_an_empty_bin_counts_as_half_a_row():
    p, q = np.array([10, 0.5]) / 10.5, np.array([5, 5]) / 10
    expected = float(((p - q) * np.log(p / q)).sum())
    assert population_stability_index(np.array([10, 0]), np.array([5, 5])) == pytest.approx(expected)


COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=12).filter(
    lambda pairs: sum(p for p, _ in pairs) > 0 and sum(q for _, q in pairs) > 0
)


@given(COUNTS)
def test_both_measures_are_bounded_and_blind_to_the_order_of_bins(pairs):
    p, q = (np.array(side) for side in zip(*pairs, strict=True))
    # SciPy's own rounding is of the order of 1e-8 near 0, where the square root makes the most of it.
    assert jensen_shannon_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    assert 0 <= jensen_shannon_distance(p, q) <= 1
    for measure in (population_stability_index, jensen_shannon_distance):
        assert measure(p, q) >= 0
        assert measure(p, q) == pytest.approx(measure(p[::-1], q[::-1]), abs=1e-7)


def test_chance_shrinks_with_rows_and_grows_with_bins_and_certainty():
    here, there = np.full(10, 10), np.full(10, 100)
    usual = index_by_chance(here, there)
    assert index_by_chance(2 * here, there) < usual
    assert index_by_chance(here, 4 * there) < usual
    assert index_by_chance(np.full(5, 20), np.full(5, 200)) < usual
    assert index_by_chance(here, there, probability=0.9) < usual
