import numpy as np
import pytest
from scipy.stats import binom, binomtest

from include.errors import BadCounts
from include.stats.wilson import wilson_interval


@pytest.mark.parametrize(("n_hits", "n_rows"), [(0, 1), (1, 1), (0, 40), (40, 40), (3, 10), (812, 1_000)])
def test_the_interval_is_that_of_a_second_implementation(n_hits: int, n_rows: int):
    other = binomtest(n_hits, n_rows).proportion_ci(0.95, method="wilson")
    assert wilson_interval(n_hits, n_rows) == pytest.approx((other.low, other.high), abs=1e-12)


def test_many_shares_at_once_are_the_same_as_one_by_one():
    hits, rows = np.array([0, 3, 7]), np.array([5, 10, 7])
    low, high = wilson_interval(hits, rows)
    one_by_one = [wilson_interval(int(n), int(m)) for n, m in zip(hits, rows, strict=True)]
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == one_by_one


def test_turning_the_question_round_turns_the_interval_round():
    low, high = wilson_interval(3, 17)
    assert wilson_interval(14, 17) == pytest.approx((1 - high, 1 - low))


def test_another_confidence_gives_another_width():
    assert wilson_interval(5, 20, z=1.0)[0] > wilson_interval(5, 20)[0]


@pytest.mark.parametrize(("n_hits", "n_rows"), [(1, 0), (3, 2), (-1, 4), (float("nan"), 4)])
def test_one_bad_count_among_good_ones_is_refused_and_named(n_hits: float, n_rows: float):
    with pytest.raises(BadCounts, match="1 of 3 counts are no share"):
        wilson_interval(np.array([1.0, n_hits, 2.0]), np.array([4.0, n_rows, 4.0]))


def test_on_average_over_shares_the_interval_holds_as_often_as_it_says():
    # Exact: for each true share, the chance of all counts whose interval contains it.
    hits, shares = np.arange(41), np.linspace(0.02, 0.98, 97)
    low, high = wilson_interval(hits, np.full(41, 40))
    holds = (low[:, None] <= shares) & (shares <= high[:, None])
    coverage = (binom.pmf(hits[:, None], 40, shares) * holds).sum(axis=0)
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.83  # narrow for a single share now and then; the exact interval is not
