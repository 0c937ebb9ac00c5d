import pytest
from scipy.stats import binomtest

from include.errors import BadExperiment
from include.experiments.lift import measure_lift, wilson_interval


@pytest.mark.parametrize(
    ("rewarded_variant", "n_variant", "rewarded_control", "n_control", "low", "high"),
    [
        # Newcombe 1998, table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0000),
        (0, 10, 0, 10, -0.2775, 0.2775),
    ],
)
def test_the_intervals_are_those_of_the_paper(rewarded_variant, n_variant, rewarded_control, n_control, low, high):
    lift = measure_lift(n_variant, rewarded_variant, n_control, rewarded_control)
    assert (lift.low, lift.high) == pytest.approx((low, high), abs=5e-5)
    assert lift.lift_ratio == pytest.approx(rewarded_variant / n_variant - rewarded_control / n_control)


def test_exchanging_the_sides_mirrors_the_interval():
    lift, mirrored = measure_lift(70, 56, 80, 48), measure_lift(80, 48, 70, 56)
    assert (mirrored.lift_ratio, mirrored.low, mirrored.high) == pytest.approx(
        (-lift.lift_ratio, -lift.high, -lift.low)
    )


@pytest.mark.parametrize(("n_rewarded", "n_units"), [(0, 5), (3, 10), (81, 263), (7, 7)])
def test_the_wilson_interval_is_what_scipy_says(n_rewarded, n_units):
    expected = binomtest(n_rewarded, n_units).proportion_ci(method="wilson")
    assert wilson_interval(n_rewarded, n_units) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("sums", [(0, 0, 10, 3), (10, 3, 0, 0), (10, 11, 10, 3), (10, 3, 10, -1)])
def test_what_is_no_share_is_refused(sums):
    with pytest.raises(BadExperiment, match="not a share"):
        measure_lift(*sums)
