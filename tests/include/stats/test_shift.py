import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import association
from statsmodels.stats.multitest import multipletests

from include.stats.column_bins import ColumnBins, cut_numbers, place_numbers
from include.stats.shift import (
    adjust_p_values,
    chi_square,
    hellinger_distance,
    largest_share_gap,
    shift_of_numbers,
)

SIDE = st.lists(st.integers(0, 60), min_size=4, max_size=4).filter(sum)
# Whole numbers of five kinds: each has more than a twentieth of the rows, so that each has a bin of its own.
FEW = st.lists(st.integers(-2, 2), min_size=1, max_size=40)


def count(bins, numbers):
    return np.bincount(place_numbers(bins, numbers), minlength=len(bins.names))


def shift(here, there):
    bins = cut_numbers("x", there)
    return shift_of_numbers(bins, count(bins, here), count(bins, there), float(here.min()), float(here.max()))


@given(SIDE, SIDE)
def test_distances_over_bins_are_those_of_scipy(here, there):
    here, there = np.array(here), np.array(there)
    p, q = here / here.sum(), there / there.sum()
    assert hellinger_distance(here, there) == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / 2**0.5, abs=1e-9)
    assert largest_share_gap(here, there) == pytest.approx(np.linalg.norm(p - q, np.inf), abs=1e-12)
    found, used = chi_square(here, there), (here + there) > 0
    table = np.stack([here, there])[:, used]
    expected = stats.chi2_contingency(table, correction=False)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    if expected.expected_freq.min() >= 5:
        assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    if used.sum() > 1:
        equal = np.stack([here * there.sum(), there * here.sum()])[:, used]
        assert found.cramers_v == pytest.approx(association(equal, method="cramer"), abs=1e-9)
    else:
        assert (found.cramers_v, found.p_value) == (0.0, 1.0)


def test_the_effect_size_is_the_same_for_many_rows_as_for_few():
    reference = np.array([5_000, 5_000])
    sizes = [chi_square(np.array([6 * n, 4 * n]), reference).cramers_v for n in (10, 1_000, 100_000)]
    assert sizes == pytest.approx([sizes[0]] * 3)


def test_bins_of_few_rows_are_counted_together_for_the_p_value():
    here, there = np.array([50, 30, 2, 1, 1]), np.array([40, 40, 1, 2, 1])
    # Two bins of few rows expect 1.5 each and one 1: together 4, so that the smallest other one joins them.
    expected = stats.chi2_contingency(np.array([[50, 34], [40, 44]]), correction=False)
    assert chi_square(here, there).p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert chi_square(np.array([1, 1]), np.array([2, 0])).p_value == 1.0


@given(st.lists(st.floats(0, 1), max_size=30))
def test_corrected_p_values_are_those_of_statsmodels(p_values):
    expected = multipletests(p_values, method="fdr_bh")[1] if p_values else []
    assert adjust_p_values(p_values) == pytest.approx(list(expected), abs=1e-12)


@given(FEW, FEW)
def test_few_different_numbers_are_measured_exactly_as_scipy_does(here, there):
    here, there = np.array([*here, -2.0, 2.0]), np.array([*there, *[-2.0, -1.0, 0.0, 1.0, 2.0] * 3])
    found = shift(here, there)
    assert found.ks == pytest.approx(stats.ks_2samp(here, there).statistic, abs=1e-9)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(here, there), abs=1e-9)
    assert (found.ks_high, found.wasserstein_error) == (found.ks, 0.0)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.9]), st.floats(-2, 2), st.floats(0.2, 4))
def test_many_different_numbers_are_within_the_stated_error(seed, zeros, move, spread):
    rng = np.random.default_rng(seed)
    there = np.where(rng.random(400) < zeros, 0.0, rng.lognormal(0, 1, 400))
    here = np.where(rng.random(90) < zeros, 0.0, move + spread * rng.lognormal(0, 1, 90))
    found = shift(here, there)
    true_ks, true_area = stats.ks_2samp(here, there).statistic, stats.wasserstein_distance(here, there)
    assert found.ks - 1e-9 <= true_ks <= found.ks_high + 1e-9
    assert abs(found.wasserstein - true_area) <= found.wasserstein_error + 1e-9


def test_numbers_of_a_bin_that_lie_evenly_worked_by_hand():
    bins = ColumnBins("x", "number", (), (1.0,), 0.0, 2.0)
    # Here all lie in 0..1, there all in 1..2: each row moved by 1; at 1 one side has all, the other nothing.
    found = shift_of_numbers(bins, np.array([4, 0, 9]), np.array([0, 6, 0]), 0.0, 1.0)
    assert (found.ks, found.ks_high, found.wasserstein, found.wasserstein_error) == (1.0, 1.0, 1.0, 1.0)


def test_cumulated_shares_that_cross_inside_a_bin_worked_by_hand():
    bins = ColumnBins("x", "number", (), (1.0, 2.0), 0.0, 3.0)
    found = shift_of_numbers(bins, np.array([6, 0, 4, 0]), np.array([2, 6, 2, 0]), 0.0, 3.0)
    # The gap goes from 0 to 0.4, to -0.2, and back to 0: triangles of 0.2, 0.4 * 2/3 / 2, 0.2 * 1/3 / 2 and 0.1.
    assert found.wasserstein == pytest.approx(0.2 + 0.4 / 3 + 0.1 / 3 + 0.1)
    # Were all of here's first bin below all of the reference's, the gap in it would reach 0.6.
    assert (found.ks, found.ks_high) == pytest.approx((0.4, 0.6))


@pytest.mark.parametrize(
    ("here", "low", "high"),
    [
        ([0, 0, 5], 0.0, 2.0),
        ([1, 1, 0], float("-inf"), 2.0),
        ([1, 1, 0], 0.0, float("inf")),
        ([1, 1, 0], -1.7e308, 1.7e308),
    ],
)
def test_without_numbers_or_with_infinite_ones_there_is_no_line(here, low, high):
    bins = ColumnBins("x", "number", (), (1.0,), 0.0, 2.0)
    assert shift_of_numbers(bins, np.array(here), np.array([1, 1, 0]), low, high) is None


def test_rows_where_nothing_moved_are_called_so_as_often_as_stated():
    rng, shares, n_runs = np.random.default_rng(1), np.array([0.1, 0.2, 0.3, 0.4]), 4_000
    p = [chi_square(rng.multinomial(300, shares), rng.multinomial(900, shares)).p_value for _ in range(n_runs)]
    n_below = int((np.array(p) < 0.05).sum())
    assert 0.001 < stats.binom.sf(n_below - 1, n_runs, 0.05) < 0.999
