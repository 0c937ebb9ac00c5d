import pytest
from scipy.stats import binomtest

from include.learning.intervals import wilson_interval
from include.learning.refusals import CannotExplain


@pytest.mark.parametrize(("n_hits", "n_rows"), [(0, 1), (1, 1), (0, 40), (40, 40), (7, 9), (300, 1000)])
def test_the_interval_is_the_one_that_scipy_computes(n_hits, n_rows):
    expected = binomtest(n_hits, n_rows).proportion_ci(0.95, method="wilson")
    assert wilson_interval(n_hits, n_rows) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_hits_and_misses_mirror_each_other_and_more_rows_narrow_it():
    low, high = wilson_interval(3, 20)
    assert wilson_interval(17, 20) == pytest.approx((1 - high, 1 - low))
    wider = wilson_interval(3, 20)
    narrower = wilson_interval(30, 200)
    assert wider[0] < narrower[0] < 0.15 < narrower[1] < wider[1]


@pytest.mark.parametrize(("n_hits", "n_rows"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_is_refused_with_its_numbers(n_hits, n_rows):
    with pytest.raises(CannotExplain, match=f"{n_hits} of {n_rows} rows is no share"):
        wilson_interval(n_hits, n_rows)
