import itertools

import numpy as np
import pytest
from scipy.stats import binom, binomtest, chisquare, multinomial

from include.errors import BadExperiment
from include.experiments.checks import (
    WHAT_TO_LOOK_AT,
    check_maturity,
    check_minimum_rewards,
    check_minimum_units,
    check_sample_ratio,
)

SHARES = {"none": 0.2, "small": 0.4, "large": 0.4}


def test_the_sample_ratio_is_what_scipy_says():
    check = check_sample_ratio({"none": 210, "small": 380, "large": 410}, SHARES, 0.001)
    assert check.value == pytest.approx(chisquare([210, 380, 410], [200, 400, 400]).pvalue, rel=1e-12)
    assert check.is_pass
    assert "none 210 of 200.0 expected" in check.detail


def test_a_mismatch_is_seen():
    check = check_sample_ratio({"none": 300, "small": 350, "large": 350}, SHARES, 0.001)
    assert not check.is_pass


@pytest.mark.parametrize(("many", "few"), [(18, 2), (37, 3), (20, 0)])
def test_where_few_units_are_expected_the_exact_test_is_asked(many: int, few: int):
    check = check_sample_ratio({"a": many, "b": few}, {"a": 0.99, "b": 0.01}, 0.001)
    assert check.value == pytest.approx(binomtest(many, many + few, 0.99).pvalue)
    assert check.is_pass


def test_of_three_variants_the_exact_chance_is_that_of_all_splits_as_rare():
    shares = {"a": 0.7, "b": 0.2, "c": 0.1}
    of = multinomial(12, list(shares.values()))
    splits = [split for split in itertools.product(range(13), repeat=3) if sum(split) == 12]
    seen = of.pmf([3, 5, 4])
    expected = sum(of.pmf(split) for split in splits if of.pmf(split) <= seen * (1 + 1e-9))
    check = check_sample_ratio({"a": 3, "b": 5, "c": 4}, shares, 0.001)
    assert check.value == pytest.approx(expected, rel=0.1)
    turned = check_sample_ratio({"c": 4, "a": 3, "b": 5}, dict(reversed(shares.items())), 0.001)
    assert turned.value == check.value


@pytest.mark.parametrize("shares", [[0.99, 0.01], [0.5, 0.49, 0.01], [0.9, 0.1]])
@pytest.mark.parametrize("n_units", [20, 120])
def test_a_right_split_is_called_a_mismatch_no_oftener_than_alpha(shares: list[float], n_units: int):
    drawn = np.random.default_rng(7).multinomial(n_units, shares, 1_000)
    splits, n_times = np.unique(drawn, axis=0, return_counts=True)
    named = dict(zip("abc", shares, strict=False))
    failed = [
        not check_sample_ratio(dict(zip(named, map(int, split), strict=True)), named, 0.05).is_pass for split in splits
    ]
    # Chi-square with few units expected would call up to 20 of 100 a mismatch here.
    assert binom.sf(int(n_times[np.array(failed)].sum()) - 1, 1_000, 0.06) > 0.001


def test_an_unlikely_split_that_does_not_stop_a_decision_says_what_to_look_at():
    unlikely = check_sample_ratio({"a": 5_000, "b": 5_264}, {"a": 0.5, "b": 0.5}, 0.001)
    assert unlikely.value == pytest.approx(0.0092, abs=0.0005)
    assert unlikely.is_pass
    assert "That is below 0.01, though: compare the variants by day" in unlikely.detail
    likely = check_sample_ratio({"a": 5_000, "b": 5_100}, {"a": 0.5, "b": 0.5}, 0.001)
    failed = check_sample_ratio({"a": 5_000, "b": 5_600}, {"a": 0.5, "b": 0.5}, 0.001)
    assert "though" not in likely.detail + failed.detail
    assert (likely.advice, failed.advice, unlikely.advice) == ("", WHAT_TO_LOOK_AT, WHAT_TO_LOOK_AT)


def test_alpha_decides_what_a_mismatch_is():
    counts = {"none": 230, "small": 380, "large": 390}
    assert check_sample_ratio(counts, SHARES, 0.001).is_pass
    assert not check_sample_ratio(counts, SHARES, 0.2).is_pass


def test_the_order_of_the_variants_changes_nothing():
    turned = check_sample_ratio({"large": 410, "none": 210, "small": 380}, SHARES, 0.001)
    assert turned == check_sample_ratio({"none": 210, "small": 380, "large": 410}, SHARES, 0.001)


def test_while_nobody_was_exposed_there_is_nothing_to_compare():
    check = check_sample_ratio({"none": 0, "small": 0, "large": 0}, SHARES, 0.001)
    assert (check.is_pass, check.value) == (True, None)


def test_one_unit_of_a_variant_never_sent_is_a_mismatch_none_is_not():
    shares = {"none": 0.5, "small": 0.5, "large": 0.0}
    assert check_sample_ratio({"none": 50, "small": 50, "large": 0}, shares, 0.001).is_pass
    assert not check_sample_ratio({"none": 50, "small": 50, "large": 1}, shares, 0.001).is_pass


@pytest.mark.parametrize("shares", [{"none": 0.5, "small": 0.5}, SHARES | {"large": 0.5}, SHARES | {"other": 0.0}])
def test_shares_of_other_variants_or_that_do_not_sum_to_one_are_refused(shares):
    with pytest.raises(BadExperiment):
        check_sample_ratio({"none": 1, "small": 1, "large": 1}, shares, 0.001)


def test_one_immature_unit_is_one_too_many():
    assert check_maturity(10, 10).is_pass
    check = check_maturity(10, 9)
    assert (check.is_pass, check.value, check.bound) == (False, 0.9, 1.0)


def test_an_empty_pilot_is_not_mature():
    assert not check_maturity(0, 0).is_pass


def test_the_smallest_variant_decides_whether_there_are_enough():
    check = check_minimum_units({"none": 99, "small": 500}, 100)
    assert (check.is_pass, check.value, check.bound) == (False, 99.0, 100.0)
    assert "none has the fewest" in check.detail
    assert check_minimum_units({"none": 99, "small": 500}, 99).is_pass


def test_rewards_of_all_variants_together_are_counted():
    check = check_minimum_rewards({"none": 6, "small": 3}, 10)
    assert (check.is_pass, check.value, check.bound) == (False, 9.0, 10.0)
    assert "9 mature units were rewarded (none 6, small 3)" in check.detail
    assert check_minimum_rewards({"none": 6, "small": 3}, 9).advice == ""
