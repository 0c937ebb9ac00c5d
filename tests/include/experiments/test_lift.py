import pytest

from include.errors import BadExperiment
from include.experiments.lift import measure_lift, newcombe_interval


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


@pytest.mark.parametrize("sums", [(0, 0, 10, 3), (10, 3, 0, 0), (10, 11, 10, 3), (10, 3, 10, -1)])
def test_what_is_no_share_is_refused(sums):
    with pytest.raises(BadExperiment, match="not a share"):
        measure_lift(*sums)


def test_a_surer_interval_is_wider_and_effective_units_need_not_be_whole():
    plain = newcombe_interval(0.3, 100, 0.2, 100)
    assert plain[0] == measure_lift(100, 30, 100, 20).low
    surer, fewer = newcombe_interval(0.3, 100, 0.2, 100, 2.58), newcombe_interval(0.3, 62.5, 0.2, 62.5)
    assert surer[0] < plain[0] < plain[1] < surer[1]
    assert fewer[0] < plain[0] < plain[1] < fewer[1]
