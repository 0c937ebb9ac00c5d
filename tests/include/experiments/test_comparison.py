import numpy as np
import pytest
from scipy.stats import binom, norm

from include.errors import BadExperiment
from include.experiments.comparison import Outcome, compare_with_control, spell_claim
from include.experiments.lift import measure_lift, newcombe_interval
from include.stats.always_valid import always_valid_interval

MAILS = {"a": Outcome(2_966, 131), "b": Outcome(3_056, 279), "c": Outcome(2_978, 305)}


def claim(outcomes, level=0.95):
    return spell_claim(outcomes, compare_with_control(outcomes, "a", level), "a", level)


def test_every_variant_stands_beside_the_control_with_its_band():
    compared = compare_with_control(MAILS, "a", 0.95)
    b = compared["b"]
    assert (b.verdict, b.lift_ratio) == ("better", pytest.approx(279 / 3_056 - 131 / 2_966))
    z = norm.isf(0.025 / 2)
    assert (b.low, b.high) == pytest.approx(newcombe_interval(279 / 3_056, 3_056, 131 / 2_966, 2_966, z))
    assert 0 < b.shrunk_lift_ratio < b.lift_ratio
    assert (compared["a"].verdict, compared["a"].lift_ratio, compared["a"].low) == ("control", None, None)


def test_of_two_variants_the_band_is_that_of_the_lift():
    pair = {"a": Outcome(250, 79), "b": Outcome(430, 378)}
    lift, compared = measure_lift(430, 378, 250, 79), compare_with_control(pair, "a", 0.95)
    assert (compared["b"].low, compared["b"].high) == pytest.approx((lift.low, lift.high))


def test_two_that_beat_the_control_may_be_too_close_to_tell_apart():
    assert claim(MAILS).startswith("'b' and 'c' both beat the control 'a'; too close to tell apart. ")
    assert "false in at most 5 of 100 experiments" in claim(MAILS)


def test_one_of_two_that_beat_the_control_may_beat_the_other_too():
    apart = MAILS | {"c": Outcome(2_978, 450)}
    assert "'b' and 'c' both beat the control 'a'; 'c' also beats 'b'. " in claim(apart)
    turned = {name: apart[name] for name in ("c", "b", "a")}
    assert "'c' also beats 'b'" in claim(turned)


def test_the_harm_of_a_variant_is_said_beside_what_another_brings():
    outcomes = MAILS | {"b": Outcome(3_056, 60)}
    assert claim(outcomes).startswith("'c' beats the control 'a'; 'b' is worse than the control 'a'.")


def test_where_nothing_is_shown_that_is_said():
    assert claim({"a": Outcome(100, 30), "b": Outcome(100, 33)}).startswith("No variant is shown to differ from the c")


def test_p_is_below_the_error_exactly_where_the_band_leaves_zero_out():
    rng = np.random.default_rng(5)
    for hits in rng.binomial(200, [0.2, 0.3, 0.3], size=(60, 3)):
        outcomes = {name: Outcome(200, int(n)) for name, n in zip("abc", hits, strict=True)}
        for one in list(compare_with_control(outcomes, "a", 0.9).values())[1:]:
            assert (one.p_value < 0.1) == (one.verdict != "unclear")


def test_p_of_the_mail_test_is_about_what_a_z_test_says():
    pair = {"a": Outcome(2_000, 100), "b": Outcome(2_000, 140)}
    z = 0.02 / np.sqrt(2 * 0.06 * 0.94 / 2_000)
    assert compare_with_control(pair, "a", 0.95)["b"].p_value == pytest.approx(2 * norm.sf(z), rel=0.1)
    nothing = compare_with_control({"a": Outcome(9, 0), "b": Outcome(9, 0)}, "a", 0.95)["b"]
    assert (nothing.p_value, nothing.verdict) == (1.0, "unclear")
    certain = compare_with_control({"a": Outcome(10**7, 10**3), "b": Outcome(10**7, 10**7)}, "a", 0.95)["b"]
    assert certain.p_value == 0.0


def test_zero_rewards_in_all_claim_nothing():
    outcomes = {"a": Outcome(3_882, 0), "b": Outcome(118, 0)}
    assert compare_with_control(outcomes, "a", 0.95)["b"].verdict == "unclear"


def test_exchanging_the_control_mirrors_lift_band_and_verdict():
    pair = {"a": Outcome(400, 40), "b": Outcome(300, 60)}
    there, back = compare_with_control(pair, "a", 0.95)["b"], compare_with_control(pair, "b", 0.95)["a"]
    assert (back.lift_ratio, back.low, back.high) == pytest.approx((-there.lift_ratio, -there.high, -there.low))
    assert (there.verdict, back.verdict) == ("better", "worse")


def test_a_surer_level_and_a_design_effect_widen_the_band():
    outcomes = {"a": Outcome(400, 40), "b": Outcome(300, 60)}
    plain = compare_with_control(outcomes, "a", 0.95)["b"]
    surer = compare_with_control(outcomes, "a", 0.99)["b"]
    houses = compare_with_control(outcomes | {"b": Outcome(300, 60, 1.6)}, "a", 0.95)["b"]
    assert surer.low < plain.low
    assert houses.low < plain.low
    assert houses.lift_ratio == plain.lift_ratio


def test_what_has_no_mature_unit_is_not_compared():
    compared = compare_with_control({"a": Outcome(0, 0), "b": Outcome(10, 3)}, "a", 0.95)
    assert (compared["a"].rate_ratio, compared["a"].verdict) == (None, "control")
    assert (compared["b"].rate_ratio, compared["b"].lift_ratio, compared["b"].verdict) == (0.3, None, "unclear")


@pytest.mark.parametrize(("outcomes", "control"), [({"a": Outcome(1, 1)}, "a"), (MAILS, "z")])
def test_what_cannot_be_compared_is_refused(outcomes, control):
    with pytest.raises(BadExperiment, match="cannot be compared with"):
        compare_with_control(outcomes, control, 0.95)


@pytest.mark.parametrize("n_variants", [2, 3, 4])
def test_false_claims_are_no_oftener_than_stated_whatever_the_number_of_variants(n_variants):
    rng, n_false = np.random.default_rng(17), 0
    for hits in rng.binomial(500, 0.1, size=(400, n_variants)):
        outcomes = {name: Outcome(500, int(n)) for name, n in zip("abcd", hits, strict=False)}
        verdicts = {one.verdict for one in compare_with_control(outcomes, "a", 0.95).values()}
        n_false += bool(verdicts & {"better", "worse"})
    assert binom.sf(n_false - 1, 400, 0.05) > 0.001


def test_a_band_for_every_look_is_wider_and_that_of_its_formula():
    outcomes = {"none": Outcome(1_000, 100), "small": Outcome(900, 120, 1.5), "large": Outcome(1_100, 200)}
    found = compare_with_control(outcomes, "none", 0.9)
    for name in ("small", "large"):
        one, n = outcomes[name], outcomes[name].n_effective
        error = (0.1 * 0.9 / 1_000 + one.rate * (1 - one.rate) / n) ** 0.5
        expected = always_valid_interval(one.rate - 0.1, error, 1_000 + n, alpha=0.05)
        assert (found[name].low_any_look, found[name].high_any_look) == pytest.approx(expected)
        assert found[name].low_any_look < found[name].low < found[name].high < found[name].high_any_look


def test_while_nothing_was_rewarded_no_look_has_a_band():
    found = compare_with_control({"none": Outcome(1_000, 0), "large": Outcome(10, 0)}, "none", 0.95)
    assert found["large"].low_any_look is None
    assert found["none"].low_any_look is None
