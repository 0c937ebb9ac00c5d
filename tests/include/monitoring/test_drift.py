import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from include.errors import BadReference
from include.monitoring.drift import (
    Bins,
    bins_of_category,
    bins_of_number,
    compare,
    index_by_chance,
    jensen_shannon_distance,
    population_stability_index,
)

COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=12).filter(
    lambda pairs: sum(p for p, _ in pairs) > 0 and sum(q for _, q in pairs) > 0
)


def counts(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_the_index_worked_by_hand():
    # Shares 0.2, 0.3, 0.5 against 0.4, 0.4, 0.2.
    expected = (0.2 - 0.4) * math.log(0.5) + (0.3 - 0.4) * math.log(0.75) + (0.5 - 0.2) * math.log(2.5)
    assert population_stability_index(counts(20, 30, 50), counts(80, 80, 40)) == pytest.approx(expected)
    assert expected == pytest.approx(0.4423, abs=1e-4)


def test_an_empty_bin_counts_as_half_a_row_and_a_bin_empty_on_both_sides_not_at_all():
    p, q = np.array([10, 0.5]) / 10.5, np.array([5, 5]) / 10
    expected = float(((p - q) * np.log(p / q)).sum())
    assert population_stability_index(counts(10, 0), counts(5, 5)) == pytest.approx(expected)
    assert population_stability_index(counts(10, 0, 0), counts(5, 5, 0)) == pytest.approx(expected)
    assert population_stability_index(counts(10, 0), counts(20, 0)) == 0.0


@given(COUNTS)
def test_the_distance_is_the_one_of_scipy(pairs):
    p, q = counts(*(a for a, _ in pairs)), counts(*(b for _, b in pairs))
    # SciPy's own rounding is of the order of 1e-8 near 0, where the square root makes the most of it.
    assert jensen_shannon_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)


@given(COUNTS)
def test_both_measures_are_symmetric_bounded_and_blind_to_the_order_of_bins(pairs):
    p, q = counts(*(a for a, _ in pairs)), counts(*(b for _, b in pairs))
    for measure in (population_stability_index, jensen_shannon_distance):
        assert measure(p, q) >= 0
        assert measure(p, q) == pytest.approx(measure(q, p), abs=1e-12)
        assert measure(p, q) == pytest.approx(measure(p[::-1], q[::-1]), abs=1e-7)
        assert measure(p, 3 * p) == pytest.approx(0, abs=1e-7)
    assert jensen_shannon_distance(p, q) <= 1


def test_nothing_in_common_is_a_distance_of_one():
    assert jensen_shannon_distance(counts(10, 0), counts(0, 7)) == pytest.approx(1.0)


def test_sampling_alone_exceeds_the_chance_index_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    shares = np.full(10, 0.1)
    bound = index_by_chance(500, 2000, 10, probability=0.95)
    drawn = [
        population_stability_index(rng.multinomial(500, shares), rng.multinomial(2000, shares)) for _ in range(2000)
    ]
    assert np.mean(np.array(drawn) > bound) == pytest.approx(0.05, abs=0.02)


def test_chance_shrinks_with_rows_and_grows_with_bins_and_certainty():
    usual = index_by_chance(100, 1000, 10)
    assert index_by_chance(200, 1000, 10) < usual
    assert index_by_chance(100, 4000, 10) < usual
    assert index_by_chance(100, 1000, 5) < usual
    assert index_by_chance(100, 1000, 10, probability=0.9) < usual
    assert index_by_chance(100, 1000, 1) == 0.0


def test_comparing_gives_counts_and_the_shares_that_are_missing():
    drift = compare(counts(5, 0, 0, 15), counts(50, 40, 0, 10))
    assert (drift.n_rows, drift.n_reference, drift.n_bins) == (20, 100, 3)
    assert (drift.missing_ratio, drift.reference_missing_ratio) == (0.75, 0.1)
    assert drift.psi_ratio == population_stability_index(counts(5, 0, 15), counts(50, 40, 10))
    assert drift.psi_chance_ratio == index_by_chance(20, 100, 3)


@pytest.mark.parametrize(
    ("here", "there", "message"),
    [
        (counts(1, 2), counts(1, 2, 3), "2 bins cannot be compared with a reference of 3"),
        (counts(0, 0), counts(1, 2), "The partition has 0 rows"),
        (counts(1, 2), counts(0, 0), "The reference has 0 rows in its 2 bins"),
        (counts(1, -2), counts(1, 2), "below 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(here, there, message):
    with pytest.raises(BadReference, match=message):
        compare(here, there)


def test_a_number_is_cut_at_its_distinct_finite_quantiles():
    bins = bins_of_number("speed", [3.0, 1.0, 1.0, None, math.nan, math.inf])
    assert bins == Bins("speed", "number", (1.0, 3.0))
    assert bins.names == ["up to 1", "1 to 3", "above 3", "missing"]
    assert bins_of_number("speed", []).names == ["any number", "missing"]


def test_the_commonest_values_have_a_bin_each_and_ties_go_by_name():
    n_by_value = {"UA": 5, "AA": 5, "DL": 9, "B6": 1}
    assert bins_of_category("carrier", n_by_value, limit=2).names == ["AA", "DL", "other", "missing"]
    assert bins_of_category("carrier", dict(reversed(n_by_value.items())), limit=2).cuts == ("AA", "DL")
    assert bins_of_category("carrier", {}).names == ["other", "missing"]
