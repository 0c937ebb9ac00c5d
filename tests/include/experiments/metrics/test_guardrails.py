import numpy as np
import pytest

from include.experiments.metrics.comparison import compare_metric
from include.experiments.metrics.guardrails import check_guardrail
from tests.include.experiments.metrics.factories import HITS, make_metric, sum_numbers


def hits(n, n_hit):
    return sum_numbers([1] * n_hit + [0] * (n - n_hit))


def check(n=10_000, none=100, large=100, sent="large", **changes):
    whole = {"name": "gone", "role": "guardrail", "kind": "binary", "numerator": HITS, "margin": 0.005}
    metric = make_metric(**{**whole, "is_lower_better": True, "is_holding": True, **changes})
    compared = compare_metric(metric, {"none": hits(n, none), "large": hits(n, large)}, "none", 0.95)
    return check_guardrail(metric, compared, sent, "none")


def test_what_is_shown_to_be_no_worse_passes():
    found = check()
    assert (found.check_name, found.is_pass, found.bound, found.advice) == ("guardrail_gone", True, 0.005, "")
    assert 0 < found.value < 0.005
    assert found.detail.startswith("gone of 'large' is less than 0.005 higher than that of the control 'none'")


@pytest.mark.parametrize("changes", [{"large": 200}, {"n": 500, "none": 5, "large": 5}])
def test_a_breach_holds_and_so_do_too_few_units(changes):
    found = check(**changes)
    assert not found.is_pass
    assert found.value > 0.005
    assert "is not shown to be less than 0.005 higher" in found.detail
    assert "let the pilot run longer" in found.advice


def test_a_breach_that_only_warns_passes_with_advice():
    found = check(large=200, is_holding=False)
    assert (found.is_pass, found.advice != "") == (True, True)


@pytest.mark.parametrize("sent", ["none", None])
def test_the_control_and_nobody_keep_every_guardrail(sent):
    assert check(large=900, sent=sent).is_pass


def test_higher_is_better_is_the_mirror_image():
    rng = np.random.default_rng(3)
    none, large = rng.normal(5, 1, 400), rng.normal(4.9, 1, 400)
    found = []
    for sign, is_lower in ((1, False), (-1, True)):
        metric = make_metric(role="guardrail", margin=0.3, is_lower_better=is_lower, is_holding=True)
        sums = {"none": sum_numbers(sign * none), "large": sum_numbers(sign * large)}
        found.append(check_guardrail(metric, compare_metric(metric, sums, "none", 0.95), "large", "none"))
    assert found[0].value == pytest.approx(found[1].value)
    assert found[0].is_pass == found[1].is_pass
    assert "0.3 lower than" in found[0].detail


def test_what_nobody_did_cannot_be_shown_to_be_kept():
    metric = make_metric(role="guardrail", margin=0.3, is_holding=True)
    compared = compare_metric(metric, {"none": sum_numbers([]), "large": sum_numbers([1.0])}, "none", 0.95)
    found = check_guardrail(metric, compared, "large", "none")
    assert (found.is_pass, found.value) == (False, None)
