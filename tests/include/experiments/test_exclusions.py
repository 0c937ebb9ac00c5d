import pytest

from include.experiments.exclusions import check_exclusions
from include.experiments.rewards import Exclusion


def left_out(reason="unit_in_two_variants", n_rows=1, variant="b", seen_on="2004-11-03"):
    return Exclusion(reason, variant, seen_on, n_rows)


def test_three_hundred_of_four_thousand_units_in_two_variants_hold():
    check = check_exclusions(3_700, [left_out(n_rows=300)], 0.01)
    assert (check.is_pass, check.value) == (False, 300 / 4_000)
    assert "300 of 4,000 units cannot be counted" in check.detail
    assert "draw the variant anew" in check.advice


def test_half_of_the_rewards_before_their_exposure_hold():
    parts = [left_out("reward_before_exposure", 50), left_out("counted_reward", 50)]
    check = check_exclusions(4_000, parts, 0.01)
    assert (check.is_pass, check.value) == (False, 0.5)
    assert "50 of 100 rewards came before their exposure" in check.detail


def test_unknown_names_are_quoted_the_three_largest_with_their_days():
    names = {"B ": 500, "b_v2": 300, "bb": 20, "x": 10}
    parts = [left_out("exposure_to_unknown_variant", n, name) for name, n in names.items()]
    check = check_exclusions(3_000, parts, 0.01)
    assert "'B ' 500, 'b_v2' 300, 'bb' 20 and 1 more (on 2004-11-03 830)" in check.detail


def test_nameless_rows_of_the_whole_log_are_compared_with_all_units():
    # As many of 2,000 are the slice's own as it has units: 1.02 of 205.02.
    parts = [left_out("record_without_unit", 10), left_out("unit_outside_slice", 1_796)]
    check = check_exclusions(204, parts, 0.01)
    assert (check.is_pass, check.value) == (True, pytest.approx(1.02 / 205.02))
    assert "Of 10 records without a unit, 1.02 are taken for its own" in check.detail
    assert not check_exclusions(204, [left_out("record_without_unit", 30), parts[1]], 0.01).is_pass


def test_who_came_before_the_start_does_not_thin_out_nameless_rows():
    parts = [left_out("record_without_unit", 10), left_out("exposure_before_start", 10_000)]
    assert check_exclusions(204, parts, 0.01).value == 10 / 214


BEFORE = "reward_before_taking_part"


@pytest.mark.parametrize(
    "reason", ["reward_without_exposure", "reward_after_window", "reward_of_left_out_unit", BEFORE]
)
def test_what_is_life_is_not_held_against_an_experiment(reason):
    check = check_exclusions(100, [left_out(reason, 5_000)], 0.01)
    assert (check.is_pass, check.value, check.advice) == (True, 0.0, "")


@pytest.mark.parametrize(("limit", "is_pass"), [(0.01, True), (0.009, False)])
def test_exactly_the_limit_is_allowed_and_shown(limit, is_pass):
    check = check_exclusions(99, [left_out()], limit)
    assert (check.is_pass, check.bound) == (is_pass, limit)
    assert "1 of 100 units" in check.detail


def test_an_empty_log_left_nothing_out():
    assert check_exclusions(0, [], 0.01).is_pass
