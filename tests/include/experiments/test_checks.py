import pytest
from scipy.stats import chisquare

from include.errors import BadExperiment
from include.experiments.checks import check_maturity, check_minimum_units, check_sample_ratio

SHARES = {"none": 0.2, "small": 0.4, "large": 0.4}


def test_the_sample_ratio_is_what_scipy_says():
    check = check_sample_ratio({"none": 210, "small": 380, "large": 410}, SHARES, 0.001)
    assert check.value == pytest.approx(chisquare([210, 380, 410], [200, 400, 400]).pvalue, rel=1e-12)
    assert check.is_pass
    assert "none 210 of 200.0 expected" in check.detail


def test_a_mismatch_is_seen():
    check = check_sample_ratio({"none": 300, "small": 350, "large": 350}, SHARES, 0.001)
    assert not check.is_pass


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


def test_one_unit_of_a_variant_that_is_never_sent_is_a_mismatch_and_none_is_not():
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
