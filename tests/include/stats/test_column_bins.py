import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.stats.column_bins import ColumnBins, cut_category, cut_number, cut_numbers, place_numbers


def test_a_number_is_cut_at_its_distinct_finite_quantiles():
    bins = cut_number("speed", [], [3.0, 1.0, 1.0, None, math.nan, math.inf])
    assert bins == ColumnBins("speed", "number", (), (1.0, 3.0))
    assert bins.names == ["up to 1", "1 to 3", "above 3", "missing"]
    assert cut_number("speed", [], []).names == ["any number", "missing"]


def test_values_with_mass_come_first_and_are_not_in_the_bins_of_the_others():
    bins = cut_number("rain", [0.0], [0.5, 2.0])
    assert bins.names == ["0", "up to 0.5", "0.5 to 2", "above 2", "missing"]
    numbers = np.array([0.0, 0.5, 0.51, -1.0, 9.0, np.nan])
    assert place_numbers(bins, numbers).tolist() == [0, 1, 2, 1, 3, 4]
    assert bins.rest == slice(1, 4)
    assert cut_number("rain", [5.0], []).names == ["5", "any other number", "missing"]


def test_the_commonest_values_have_a_bin_each_and_ties_go_by_name():
    n_by_value = {"UA": 5, "AA": 5, "DL": 9, "B6": 1}
    bins = cut_category("carrier", n_by_value, n_single=1, limit=2)
    assert bins.names == ["AA", "DL", "other", "never seen", "missing"]
    assert bins.n_single == 1
    assert cut_category("carrier", dict(reversed(n_by_value.items())), limit=2).values == ("AA", "DL")
    assert cut_category("carrier", {}).names == ["other", "never seen", "missing"]


def test_a_category_called_as_one_of_ours_keeps_its_name_to_itself():
    names = cut_category("kind", {"missing": 3, "other": 2}).names
    assert names == ["missing", "other", "(other)", "never seen", "(missing)"]
    names = cut_category("kind", {"other": 3, "(other)": 2, "((other))": 1}).names
    assert names == ["((other))", "(other)", "other", "(((other)))", "never seen", "missing"]


@pytest.mark.parametrize("edges", [(1_000_000.1, 1_000_000.2), (0.1, 0.1 + 1e-16 * 2), (1e15, 1e15 + 1)])
def test_edges_that_six_digits_cannot_tell_apart_have_names_of_their_own(edges: tuple[float, ...]):
    names = cut_number("x", [edges[0]], [*edges, edges[-1] * 2]).names
    assert len(set(names)) == len(names)


def test_tenths_of_the_positives_are_as_many_rows_each():
    rng = np.random.default_rng(1)
    numbers = np.where(rng.random(10_000) < 0.92, 0.0, rng.lognormal(0, 1, 10_000))
    bins = cut_numbers("rain", numbers)
    n_rows = np.bincount(place_numbers(bins, numbers), minlength=len(bins.names))
    assert (bins.values, n_rows[0]) == ((0.0,), (numbers == 0).sum())
    assert n_rows[1:-1].tolist() == pytest.approx([(numbers > 0).sum() / 10] * 10, abs=1)


def test_a_number_without_mass_is_cut_as_a_second_implementation_does():
    numbers = np.random.default_rng(2).normal(size=997)
    bins = cut_numbers("x", numbers)
    codes = pd.qcut(numbers, 10, labels=False)
    assert bins.values == ()
    assert place_numbers(bins, numbers).tolist() == codes.tolist()


def test_nothing_known_is_all_missing_and_infinities_have_a_place():
    empty = cut_numbers("x", np.array([np.nan, np.nan]))
    assert place_numbers(empty, np.array([np.nan, 1.0])).tolist() == [1, 0]
    assert (empty.low, empty.high) == (None, None)
    bins = cut_numbers("x", np.array([1.0, 2.0, 3.0, -np.inf, np.inf] * 10), n_quantiles=2)
    assert place_numbers(bins, np.array([-np.inf, np.inf])).tolist() == [0, 4]
    assert bins.names[0] == "-inf"


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=60))
def test_each_row_has_one_bin_and_each_bin_a_name(numbers: list[float]):
    array = np.array(numbers)
    bins = cut_numbers("x", array)
    place = place_numbers(bins, array)
    assert len(set(bins.names)) == len(bins.names)
    assert ((place >= 0) & (place < len(bins.names))).all()
    assert ((place == len(bins.names) - 1) == np.isnan(array)).all()
