from dataclasses import replace

import numpy as np
import pytest

from include.experiments.comparison import Outcome, compare_with_control
from include.experiments.metrics.comparison import Adjustment, compare_metric
from tests.include.experiments.metrics.factories import HITS, make_metric, sum_numbers

RNG = np.random.default_rng(5)
NONE, LARGE = RNG.lognormal(0, 1, 800), RNG.lognormal(0, 1, 900) + 0.5
LIFT = LARGE.mean() - NONE.mean()
MIRROR = ("low", "high", "low_any_look", "high_any_look")


def compare(none=NONE, large=LARGE, level=0.95, **changes):
    sums = {"none": sum_numbers(none), "large": sum_numbers(large)}
    return compare_metric(make_metric(**changes), sums, "none", level)


def test_means_have_their_difference_with_its_bands():
    seen = compare()["large"].comparison
    assert (seen.lift_ratio, seen.verdict) == (pytest.approx(LIFT), "better")
    assert seen.low_any_look < seen.low < seen.lift_ratio < seen.high < seen.high_any_look
    assert seen.p_value < 0.05
    control = compare()["none"].comparison
    assert (control.verdict, control.lift_ratio, control.rate_ratio) == ("control", None, pytest.approx(NONE.mean()))


def test_lower_is_better_is_the_mirror_image():
    plain, lower = compare()["large"].comparison, compare(is_lower_better=True)["large"].comparison
    turned = compare(-NONE, -LARGE)["large"].comparison
    assert (plain.verdict, lower.verdict, turned.verdict) == ("better", "worse", "worse")
    assert [getattr(plain, end) for end in MIRROR] == [getattr(lower, end) for end in MIRROR]
    assert (turned.low, turned.high) == (pytest.approx(-plain.high), pytest.approx(-plain.low))


def test_more_variants_and_a_surer_level_widen_the_band():
    sums = {"none": sum_numbers(NONE), "large": sum_numbers(LARGE), "small": sum_numbers(LARGE)}
    two, three = compare()["large"].comparison, compare_metric(make_metric(), sums, "none", 0.95)["large"].comparison
    assert three.high - three.low > two.high - two.low
    assert three.p_value == pytest.approx(2 * two.p_value)
    sure = compare(level=0.99)["large"].comparison
    assert sure.high - sure.low > two.high - two.low


def test_whether_it_happened_is_compared_as_rewards_are():
    sums = {"none": sum_numbers([1] * 30 + [0] * 70), "large": sum_numbers([1] * 60 + [0] * 40)}
    found = compare_metric(make_metric(kind="binary", numerator=HITS), sums, "none", 0.95)
    rewards = compare_with_control({"none": Outcome(100, 30), "large": Outcome(100, 60)}, "none", 0.95)
    assert {name: one.comparison for name, one in found.items()} == rewards


def test_whether_it_happened_in_clusters_says_less():
    hits = [4] * 8 + [0] * 17
    sums = {"none": sum_numbers(hits, [4] * 25, 100), "large": sum_numbers(hits, [4] * 25, 100)}
    found = compare_metric(make_metric(kind="binary", numerator=HITS), sums, "none", 0.95)["large"].comparison
    alone = compare_with_control({"none": Outcome(100, 32), "large": Outcome(100, 32)}, "none", 0.95)["large"]
    assert found.high > 1.5 * alone.high


@pytest.mark.parametrize("large", [[], [3.0], [3.0] * 50])
def test_nobody_one_alone_and_no_variation_claim_nothing(large):
    found = compare([3.0] * 50, large)["large"]
    assert (found.comparison.verdict, found.comparison.low, found.comparison.p_value) == ("unclear", None, None)
    assert (found.estimate is None) == (not large)


def test_a_ratio_of_nothing_is_no_ratio():
    sums = {"none": sum_numbers([1.0, 2.0], [1.0, 1.0]), "large": sum_numbers([0.0, 0.0], [0.0, 0.0])}
    found = compare_metric(make_metric(kind="ratio", denominator=HITS), sums, "none", 0.95)
    assert (found["large"].estimate, found["large"].comparison.lift_ratio) == (None, None)


def with_covariate(y, x):
    one = sum_numbers(y)
    return replace(one, beside=sum_numbers(y, x).sums)


def adjusted(sums, level=0.95, **changes):
    found = compare_metric(make_metric(**changes), sums, "none", level, has_covariate=True)
    return {name: one.adjustment for name, one in found.items()}, found


def test_a_lift_without_what_was_so_before_stands_beside_the_plain_one():
    x = RNG.gamma(1.0, 9.0, 800), RNG.gamma(1.0, 9.0, 900)
    sums = {"none": with_covariate(NONE + x[0], x[0]), "large": with_covariate(LARGE + x[1], x[1])}
    seen, rows = adjusted(sums)
    plain = rows["large"].comparison
    assert (seen["large"].state, seen["large"].weight) == ("adjusted", pytest.approx(1.0, abs=0.05))
    assert seen["large"].low < LIFT < seen["large"].high
    assert seen["large"].high - seen["large"].low < (plain.high - plain.low) / 3
    assert seen["none"] == Adjustment("adjusted", seen["large"].weight)
    # What is claimed stays as it was without a covariate.
    assert plain == compare_metric(make_metric(), sums, "none", 0.95)["large"].comparison
    surer, three = adjusted(sums, 0.99)[0], adjusted(sums | {"small": sums["large"]})[0]
    for wider in (surer, three):
        assert wider["large"].high - wider["large"].low > seen["large"].high - seen["large"].low


@pytest.mark.parametrize(
    ("none", "large", "state"),
    [
        (with_covariate(NONE, np.zeros(800)), with_covariate(LARGE, np.zeros(900)), "unvaried"),
        (with_covariate(NONE, NONE), with_covariate([1.0], [2.0]), "few"),
        (sum_numbers(NONE), sum_numbers(LARGE), "ratio"),
    ],
)
def test_why_a_lift_is_not_adjusted_is_said(none, large, state):
    assert adjusted({"none": none, "large": large})[0] == {name: Adjustment(state) for name in ("none", "large")}


def test_without_a_covariate_nothing_is_said_of_it():
    assert compare()["large"].adjustment is None
