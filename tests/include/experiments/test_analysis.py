import dataclasses

import numpy as np
import pytest

from include.experiments.allocation.rules import WaveRule, Windows
from include.experiments.analysis import (
    allocate_next,
    check_pilot,
    compare_lifts,
    count_windows,
    tell_variants,
    weigh_pilot,
)
from include.experiments.decision import Decision, decide
from include.experiments.rewards import ClusterSum, Exclusion
from include.experiments.sending import Price
from tests.include.experiments.factories import make_rules, make_sum

WINNER = Decision("send", "large", 0.99, 0.001, True, "It won.")
WAIT = Decision("wait", None, None, None, False, "Too early.")
PILOT = [make_sum(variant="none", rewarded=30), make_sum(variant="large", rewarded=60)]
AFTER = [make_sum("rest", "large", 200, 110), make_sum("holdback", "none", 80, 26)]


def test_a_variant_that_nobody_got_is_missed():
    checks = {check.check_name: check for check in check_pilot(PILOT[1:], [], make_rules())}
    assert [checks[name].is_pass for name in ("sample_ratio", "maturity", "minimum_units")] == [False, True, False]


def test_only_the_pilot_is_checked():
    assert check_pilot(PILOT + AFTER, [], make_rules()) == check_pilot(PILOT, [], make_rules())


def decide_pilot(pilot, rules, left_out=(), *, is_pilot_over=True):
    _, evidence = weigh_pilot(pilot, rules)
    checks = check_pilot(pilot, left_out, rules)
    return decide(checks, evidence, is_pilot_over=is_pilot_over, control=rules.control)


def test_the_pilot_is_summarised_by_variant_and_not_by_place():
    compared, evidence = weigh_pilot(PILOT[::-1] + AFTER, make_rules())
    known = evidence.posteriors
    assert [(name, posterior.n_rewarded) for name, posterior in known.items()] == [("none", 30), ("large", 60)]
    assert compared["large"].lift_ratio == pytest.approx(0.3)


def test_while_a_variant_has_no_mature_unit_there_is_nothing_to_decide_from():
    compared, evidence = weigh_pilot(PILOT[:1], make_rules())
    assert evidence is None
    assert (compared["none"].rate_ratio, compared["large"].rate_ratio) == (0.3, None)


def test_every_variant_is_told_whether_something_wins_or_not():
    rules = make_rules()
    compared, evidence = weigh_pilot(PILOT, rules)
    rows = {row.variant: row for row in tell_variants(PILOT, compared, evidence, WINNER)}
    assert [(row.n_units, row.n_rewarded, row.is_sent) for row in rows.values()] == [(100, 30, False), (100, 60, True)]
    assert rows["none"].expected_loss > rows["large"].expected_loss >= 0
    undecided = tell_variants(PILOT[:1], *weigh_pilot(PILOT[:1], rules), WAIT)
    assert [(row.n_units, row.best_probability, row.is_sent) for row in undecided] == [
        (100, None, False),
        (0, None, False),
    ]


def test_a_clear_pilot_is_decided_when_it_is_over_and_not_before():
    assert decide_pilot(PILOT, make_rules()).variant == "large"
    assert decide_pilot(PILOT, make_rules(), is_pilot_over=False).outcome == "wait"


def test_an_incentive_that_costs_more_than_it_brings_is_not_sent():
    dear = make_rules(price=Price(value=1.0, costs={"large": 0.4}))
    decision = decide_pilot(PILOT, dear)
    assert (decision.outcome, decision.variant) == ("keep_control", "none")
    assert "'large' beats the control" in decision.claim


BLOCKED = Decision("blocked", None, None, None, False, "A broken split.")
KEPT = Decision("keep_control", "none", 0.6, 0.1, True, "")


@pytest.mark.parametrize(
    ("decision", "is_pilot_over", "expected"),
    [
        (WAIT, False, [("pilot", "none", 0.5, 0.0, 0.5), ("pilot", "large", 0.5, 0.5, 1.0)]),
        (BLOCKED, False, [("pilot", "none", 0.5, 0.0, 0.5), ("pilot", "large", 0.5, 0.5, 1.0)]),
        (WAIT, True, [("hold", None, None, None, None)]),
        (BLOCKED, True, [("hold", None, None, None, None)]),
        (WINNER, True, [("rest", "none", 0.3, 0.0, 0.3), ("rest", "large", 0.7, 0.3, 1.0)]),
        (KEPT, True, [("rest", "none", 1.0, 0.0, 1.0)]),
    ],
)
def test_the_next_window_gets_what_is_in_force(decision, is_pilot_over, expected):
    ranges = allocate_next(decision, make_rules(), is_pilot_over=is_pilot_over)
    assert [dataclasses.astuple(one)[:5] for one in ranges] == expected


@pytest.mark.parametrize("decision", [WAIT, BLOCKED, WINNER])
def test_what_is_over_sends_nothing_whatever_was_decided(decision):
    for is_pilot_over in (False, True):
        [one] = allocate_next(decision, make_rules(), is_pilot_over=is_pilot_over, is_ended=True)
        assert dataclasses.astuple(one) == ("ended", None, None, None, None, None)


def test_without_a_holdback_everybody_gets_what_won():
    [whole] = allocate_next(WINNER, make_rules(holdback_share=0.0), is_pilot_over=True)
    assert (whole.variant, whole.low, whole.high) == ("large", 0.0, 1.0)


def test_ranges_touch_and_end_at_one_however_shares_are_rounded():
    shares = {f"v{index}": 0.1 for index in range(10)}
    ranges = allocate_next(WAIT, make_rules(expected_shares=shares), is_pilot_over=False)
    assert [one.low for one in ranges[1:]] == [one.high for one in ranges[:-1]]
    assert (ranges[0].low, ranges[-1].high) == (0.0, 1.0)


def test_much_that_was_left_out_holds_the_decision():
    left_out = [Exclusion("exposure_to_unknown_variant", "large_v2", "2004-11-03", 40)]
    decision = decide_pilot(PILOT, make_rules(), left_out)
    assert decision.outcome == "blocked"
    assert "'large_v2' 40" in decision.reason


def test_without_any_reward_nothing_is_decided_and_nothing_sent():
    pilot = [make_sum(variant="none", n=3_882, rewarded=0), make_sum(variant="large", n=118, rewarded=0)]
    rules = make_rules(expected_shares={"none": 0.97, "large": 0.03})
    decision = decide_pilot(pilot, rules)
    assert (decision.outcome, decision.variant, decision.is_final) == ("blocked", None, False)
    assert "0 mature units were rewarded (none 0, large 0)" in decision.reason
    assert [one.phase for one in allocate_next(decision, rules, is_pilot_over=True)] == ["hold"]


def test_the_promise_is_of_the_pilot_and_what_came_of_it_of_the_rest():
    lifts = compare_lifts(PILOT + AFTER, WINNER, make_rules())
    assert lifts["promised"].lift_ratio == pytest.approx(0.6 - 0.3)
    assert lifts["realised"].lift_ratio == pytest.approx(110 / 200 - 26 / 80)
    assert (lifts["realised"].n_variant, lifts["realised"].n_control) == (200, 80)


def test_nothing_is_realised_before_both_sides_have_mature_units():
    assert set(compare_lifts([*PILOT, AFTER[0]], WINNER, make_rules())) == {"promised"}


@pytest.mark.parametrize("decision", [WAIT, Decision("send", "none", 0.99, 0.0, True, "")])
def test_without_a_variant_that_beat_the_control_nothing_is_promised(decision):
    assert compare_lifts(PILOT + AFTER, decision, make_rules()) == {}


def test_people_drawn_by_household_say_less_and_are_split_by_household():
    homes = ClusterSum(25, 25, 400.0, 120.0, 120.0)
    pilot = [make_sum(variant="none", rewarded=30, clusters=homes), make_sum(variant="large", rewarded=42)]
    pilot[1] = dataclasses.replace(pilot[1], clusters=dataclasses.replace(homes, sum_mature_rewarded=168.0))
    alone = [dataclasses.replace(part, clusters=None) for part in pilot]
    rules = make_rules()
    drawn, single = weigh_pilot(pilot, rules)[0]["large"], weigh_pilot(alone, rules)[0]["large"]
    assert drawn.lift_ratio == single.lift_ratio == pytest.approx(0.12)
    assert drawn.low < single.low
    assert "none 25 of 25.0 expected, large 25 of 25.0" in check_pilot(pilot, [], rules)[0].detail


WAVE_RULE = WaveRule("epsilon_greedy", uniform_share=0.1)


def test_windows_are_what_running_sums_grew_by():
    past = [{"none": (40, 10)}, {"none": (60, 15), "large": (50, 30)}]
    waves = [make_sum("wave", "large", 30, 9), make_sum("wave", "none", 10, 2, n_off_policy=4, n_mature=6)]
    sums = [make_sum("pilot", "none", 70, 20), make_sum("pilot", "large", 45, 28), *waves, *AFTER]
    windows = count_windows(past, sums, make_rules())
    # In the order of the file, none and large; late rows never make a window negative.
    assert windows.mature.tolist() == [[40, 0], [20, 50], [16, 25]]
    assert windows.rewarded.tolist() == [[10, 0], [5, 30], [7, 7]]
    assert windows.exposed.tolist() == [76, 75]


@pytest.mark.parametrize(("outcome", "phase"), [("wait", "wave 2"), ("blocked", "hold")])
def test_a_wave_is_shared_by_its_rule_unless_a_check_holds(outcome, phase):
    windows = Windows(np.array([[10.0, 40.0]]), np.array([[100.0, 100.0]]), np.array([100.0, 100.0]))
    decision = dataclasses.replace(WAIT, outcome=outcome)
    wave = (2, windows, np.random.default_rng(0))
    ranges = allocate_next(decision, make_rules(wave_rule=WAVE_RULE), is_pilot_over=True, wave=wave)
    assert {one.phase for one in ranges} == {phase}
    if phase != "hold":
        assert [(one.variant, one.share_ratio) for one in ranges] == [("none", 0.05), ("large", pytest.approx(0.95))]
        assert (ranges[0].low, ranges[-1].high) == (0.0, 1.0)


def test_waves_are_evidence_for_what_is_sent_and_not_for_what_is_claimed():
    close = [make_sum("pilot", "none", 100, 30), make_sum("pilot", "large", 100, 29)]
    waves = [make_sum("wave", "large", 900, 450), make_sum("wave", "none", 100, 30)]
    alone, both = weigh_pilot(close, make_rules()), weigh_pilot([*close, *waves], make_rules())
    assert (alone[1].choice.variant, both[1].choice.variant) == ("none", "large")
    assert both[0] == alone[0]
    assert both[1].posteriors["large"].n_mature == 1_000


def test_nothing_is_decided_before_the_waves_are_mature_too():
    waves = [make_sum("wave", "large", 50, 10, n_mature=40)]
    checks = {check.check_name: check for check in check_pilot([*PILOT, *waves], [], make_rules())}
    assert not checks["maturity"].is_pass


def test_what_is_logged_after_the_trial_changes_no_exclusion_check():
    twice = Exclusion("unit_in_two_variants", "large", "2004-11-03", 15)
    many = [*PILOT, make_sum("rest", "large", 100_000, 0)]
    assert decide_pilot(many, make_rules(), [twice]).outcome == "blocked"
    later = dataclasses.replace(twice, is_trial=False)
    assert decide_pilot(many, make_rules(), [later]).outcome == "send"
