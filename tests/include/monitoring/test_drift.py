import numpy as np
import pytest
from scipy import stats

from include.errors import BadReference
from include.monitoring.drift import ColumnCounts, compare, unseen_by_chance
from include.stats.column_bins import ColumnBins, cut_category, cut_numbers, place_numbers
from include.stats.divergence import index_by_chance, population_stability_index

ANY = ColumnBins("x", "number", (), (1.0, 2.0))


def counts(*numbers, n_unseen=0):
    return ColumnCounts(np.array(numbers, dtype=np.int64), n_unseen)


def count_numbers(bins, numbers):
    """Count rows of a number as the engine does."""
    placed = np.bincount(place_numbers(bins, numbers), minlength=len(bins.names))
    n_unseen = int(((numbers < bins.low) | (numbers > bins.high)).sum())
    return ColumnCounts(placed, n_unseen, float(numbers.min()), float(numbers.max()))


def compare_numbers(here, there):
    bins = cut_numbers("x", there)
    return compare(bins, count_numbers(bins, here), count_numbers(bins, there))


def compare_categories(here, there):
    """Count and compare categories the slow and plain way."""
    n_by_value = {value: int((there == value).sum()) for value in np.unique(there).tolist()}
    bins = cut_category("x", n_by_value, sum(n == 1 for n in n_by_value.values()))
    sides = []
    for side in (here, there):
        own = [int((side == value).sum()) for value in bins.values]
        n_unseen = int((~np.isin(side, list(n_by_value))).sum())
        sides.append(counts(*own, len(side) - sum(own) - n_unseen, n_unseen, 0, n_unseen=n_unseen))
    return compare(bins, *sides)


def test_comparing_gives_counts_and_the_shares_that_are_missing():
    drift = compare(ANY, counts(5, 0, 0, 15), counts(50, 40, 0, 10))
    assert (drift.n_rows, drift.n_reference, drift.n_bins) == (20, 100, 3)
    assert (drift.missing_ratio, drift.reference_missing_ratio) == (0.75, 0.1)
    assert drift.psi_ratio == population_stability_index(np.array([5, 0, 15]), np.array([50, 40, 10]))
    assert drift.psi_chance_ratio == index_by_chance(np.array([5, 0, 15]), np.array([50, 40, 10]))
    assert drift.psi_rest_ratio is None  # no value has a bin of its own, so there is nothing apart from the rest


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
        compare(ANY, here, there)


def test_a_constant_that_becomes_another_moves_as_far_as_can_be():
    drift = compare_numbers(np.zeros(500), np.full(500, 5.0))
    assert drift.psi_ratio > 5
    assert (drift.js_ratio, drift.unseen_ratio) == (pytest.approx(1.0), 1.0)
    assert compare_numbers(np.full(500, 5.0), np.full(500, 5.0)).psi_ratio == 0.0


def test_a_number_has_distances_along_its_line_and_a_category_has_none():
    here, there = np.repeat([1.0, 2.0, 4.0], [10, 20, 70]), np.repeat([1.0, 2.0, 4.0], [60, 20, 20])
    moved = compare_numbers(here, there)
    assert moved.ks_ratio == pytest.approx(stats.ks_2samp(here, there).statistic, abs=1e-9)
    assert moved.wasserstein == pytest.approx(stats.wasserstein_distance(here, there), abs=1e-9)
    assert moved.wasserstein_error == 0.0
    named = compare_categories(here.astype(str), there.astype(str))
    assert (named.ks_ratio, named.wasserstein) == (None, None)
    # Both see the same shares in the same bins.
    assert named.hellinger_ratio == pytest.approx(moved.hellinger_ratio)
    assert (named.linf_ratio, moved.linf_ratio) == pytest.approx((0.5, 0.5))
    assert moved.cramers_v_ratio == pytest.approx(named.cramers_v_ratio)
    assert moved.chi_square_p_value < 1e-9


def test_numbers_that_leave_the_range_lengthen_the_way():
    there = np.linspace(0, 1, 200)
    near, far = (compare_numbers(np.append(there[:-1], end), there) for end in (2.0, 2_000.0))
    assert far.wasserstein > 100 * near.wasserstein > 0
    assert compare_numbers(np.append(there[:-1], np.inf), there).wasserstein is None


@pytest.mark.parametrize("zeros", [0.5, 0.92, 0.99])
def test_few_positives_that_grow_a_thousandfold_are_seen_beside_many_zeros(zeros: float):
    rng = np.random.default_rng(1)

    def draw(scale):
        return np.where(rng.random(20_000) < zeros, 0.0, scale * rng.lognormal(0, 1, 20_000))

    moved, stood = compare_numbers(draw(1_000.0), draw(1.0)), compare_numbers(draw(1.0), draw(1.0))
    assert moved.psi_rest_ratio > 1
    assert moved.psi_rest_ratio > moved.psi_rest_chance_ratio
    assert stood.psi_rest_ratio < stood.psi_rest_chance_ratio
    assert moved.unseen_ratio > 0.9 * (1 - zeros)


def test_a_thousand_categories_that_are_all_replaced_have_never_been_seen():
    rng = np.random.default_rng(2)
    old, new = rng.integers(0, 1_000, 20_000), rng.integers(1_000, 2_000, 5_000)
    drift = compare_categories(new, old)
    assert drift.unseen_ratio == 1.0 > drift.unseen_chance_ratio
    assert drift.psi_ratio > 5
    assert compare_categories(rng.integers(0, 1_000, 5_000), old).psi_ratio < 0.05


def test_identifiers_that_are_always_new_do_not_move():
    drift = compare_categories(np.arange(5_000, 6_000), np.arange(5_000))
    assert drift.unseen_ratio == drift.unseen_chance_ratio == 1.0
    assert drift.psi_ratio == 0.0


def test_a_partition_of_the_reference_holds_nothing_new():
    bins = cut_category("x", {"a": 50, "b": 1}, n_single=1)
    here = counts(25, 1, 0, 0, 0)
    there = counts(50, 1, 0, 0, 0)
    inside = compare(bins, here, there, is_in_reference=True)
    assert inside.psi_ratio == population_stability_index(here.bins, there.bins)
    assert inside.psi_ratio != compare(bins, here, there).psi_ratio


@pytest.mark.parametrize(("n_rows", "n_reference"), [(50, 50), (500, 5_000), (5_000, 500)])
def test_chance_alone_leaves_a_range_more_than_once_in_a_thousand_never(n_rows: int, n_reference: int):
    rng, n_runs = np.random.default_rng(3), 4_000
    bound = unseen_by_chance(n_rows, n_reference, 1)
    there, here = rng.random((n_runs, n_reference)), rng.random((n_runs, n_rows))
    outside = (here < there.min(axis=1)[:, None]) | (here > there.max(axis=1)[:, None])
    n_above = int((outside.mean(axis=1) > bound).sum())
    assert stats.binom.sf(n_above - 1, n_runs, 0.001) > 0.001


def test_chance_alone_brings_new_categories_no_oftener_than_stated():
    rng, n_above, n_runs = np.random.default_rng(4), 0, 1_000
    shares = 1 / np.arange(1, 400) ** 1.1
    for _ in range(n_runs):
        there = rng.multinomial(1_000, shares / shares.sum())
        here = rng.multinomial(300, shares / shares.sum())
        bound = unseen_by_chance(300, 1_000, int((there == 1).sum()))
        n_above += here[there == 0].sum() / 300 > bound
    assert stats.binom.sf(n_above - 1, n_runs, 0.001) > 0.001


def test_without_a_value_on_a_side_nothing_can_be_called_new():
    assert unseen_by_chance(0, 10, 1) == unseen_by_chance(10, 0, 1) == 1.0
