import dataclasses

import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.comparison import BETTER, Outcome, compare_with_control
from include.experiments.planning import find_smallest_effect, recommend_size, size_pilots
from include.experiments.sending import Price
from tests.include.experiments.factories import make_rules

THREE = {"variants": ["a", "b", "c"], "control": "a", "expected_shares": dict.fromkeys("abc", 1 / 3)}


def test_the_smallest_effect_solves_its_own_equation():
    effect = find_smallest_effect(0.05, 1000, 1000, 0.95)
    variance = (0.05 * 0.95 + (0.05 + effect) * (0.95 - effect)) / 1000
    # 1.959964 and 0.841621 are the normal's quantiles of 0.975 and 0.8.
    assert effect == pytest.approx((1.959964 + 0.841621) * variance**0.5, rel=1e-5)


def test_few_units_show_nothing_however_good_a_variant_is():
    assert find_smallest_effect(0.5, 5, 5, 0.95) is None
    assert find_smallest_effect(0.5, 0, 100, 0.95) is None


def test_the_bands_that_claim_find_the_smallest_effect_four_times_in_five():
    effect, rng = find_smallest_effect(0.05, 2000, 2000, 0.975), np.random.default_rng(1)
    drawn = zip(rng.binomial(2000, 0.05, 1000), rng.binomial(2000, 0.05 + effect, 1000), strict=True)
    n_claimed = 0
    for control, better in drawn:
        outcomes = {"a": Outcome(2000, control), "b": Outcome(2000, better), "c": Outcome(2000, 100)}
        n_claimed += compare_with_control(outcomes, "a", 0.95)["b"].verdict == BETTER
    # 1,000 draws are right within 3.8 points in 997 of 1,000.
    assert n_claimed / 1000 == pytest.approx(0.8, abs=0.038)


def test_a_larger_pilot_finds_more_often_and_sees_smaller_effects():
    sizes = size_pilots(make_rules(**THREE), 0.05, 0.2, 10_000)
    found = [one.finds_best for one in sizes]
    assert found == sorted(found)
    assert [one.smallest_effect for one in sizes] == sorted((one.smallest_effect for one in sizes), reverse=True)
    assert all(0 < one.finds_best_error < 0.01 for one in sizes)


def test_the_case_of_a_thousand_in_ten_thousand_is_worth_what_its_benchmark_says():
    [tenth] = size_pilots(make_rules(**THREE, holdback_share=0.0), 0.05, 0.2, 10_000, shares=[0.1])
    # "The top rate" of 1,000 at 5, 5 and 6 of 100 earns 554 in docs/benchmarks.md.
    assert tenth.conversions == pytest.approx(554, abs=4)
    assert tenth.conversions - 3 * tenth.conversions_error > 500


def test_who_is_held_back_and_what_is_dear_change_what_is_found():
    rules = make_rules(**THREE, holdback_share=0.0)
    [plain] = size_pilots(rules, 0.05, 0.5, 10_000, shares=[0.2])
    [held] = size_pilots(dataclasses.replace(rules, holdback_share=0.5), 0.05, 0.5, 10_000, shares=[0.2])
    assert held.conversions < plain.conversions
    dear = dataclasses.replace(rules, price=Price(value=1.0, costs={"b": 1.0, "c": 1.0}))
    [kept] = size_pilots(dear, 0.05, 0.5, 10_000, shares=[0.2])
    assert kept.finds_best == 1.0
    tied = dataclasses.replace(rules, price=Price(equivalence=0.9))
    [cautious] = size_pilots(tied, 0.05, 0.5, 10_000, shares=[0.2])
    assert cautious.finds_best == 0.0


def test_the_smallest_pilot_that_none_surely_beats_is_recommended():
    [one] = size_pilots(make_rules(**THREE), 0.05, 0.2, 10_000, shares=[0.1])
    sizes = [
        dataclasses.replace(one, share=share, conversions=conversions, conversions_error=1.0)
        for share, conversions in ((0.1, 550.0), (0.2, 559.0), (0.5, 560.0))
    ]
    assert recommend_size(sizes).share == 0.2


@pytest.mark.parametrize(
    ("rate", "lift", "n_units", "said"),
    [
        (0.0, 0.2, 1000, "base rate of 0 with"),
        (0.9, 0.2, 1000, "a rate lies between 0 and 1, also that of the better"),
        (0.05, 0.0, 1000, "the lift is not 0"),
        (0.05, 0.2, 20, "20 units are too few"),
    ],
)
def test_numbers_with_which_there_is_nothing_to_find_are_refused(rate, lift, n_units, said):
    with pytest.raises(BadExperiment, match=said):
        size_pilots(make_rules(**THREE), rate, lift, n_units)
