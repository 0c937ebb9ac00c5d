import pytest

from include.experiments.assessing import allocate_next, check_pilot, compare_lifts, decide_window, summarise_pilot
from include.experiments.deciding import Decision
from tests.include.experiments.factories import make_rules, make_sum

WINNER = Decision("winner", "large", 0.99, 0.001, True, "It won.")
WAIT = Decision("wait", None, None, None, False, "Too early.")
PILOT = [make_sum(variant="none", rewarded=30), make_sum(variant="large", rewarded=60)]
AFTER = [make_sum("rest", "large", 200, 110), make_sum("holdback", "none", 80, 26)]


def test_a_variant_that_nobody_got_is_missed():
    checks = {check.check_name: check for check in check_pilot(PILOT[1:], make_rules())}
    assert [checks[name].is_pass for name in ("sample_ratio", "maturity", "minimum_units")] == [False, True, False]


def test_only_the_pilot_is_checked():
    assert check_pilot(PILOT + AFTER, make_rules()) == check_pilot(PILOT, make_rules())


def test_the_pilot_is_summarised_by_variant_and_not_by_place():
    known = summarise_pilot(PILOT[::-1] + AFTER, make_rules())
    assert [(name, posterior.n_rewarded) for name, posterior in known.items()] == [("none", 30), ("large", 60)]


def test_a_clear_pilot_is_decided_when_it_is_over_and_not_before():
    rules = make_rules()
    checks, known = check_pilot(PILOT, rules), summarise_pilot(PILOT, rules)
    assert decide_window(checks, known, rules, is_pilot_over=True).variant == "large"
    assert decide_window(checks, known, rules, is_pilot_over=False).outcome == "wait"


@pytest.mark.parametrize(
    ("decision", "is_pilot_over", "expected"),
    [
        (WAIT, False, ("pilot", {"none": 0.5, "large": 0.5})),
        (WAIT, True, ("rest", {"none": 1.0})),
        (WINNER, True, ("rest", {"large": 0.7, "none": 0.3})),
        (Decision("no_winner", "none", 0.6, 0.1, True, ""), True, ("rest", {"none": 1.0})),
    ],
)
def test_the_next_window_gets_what_is_in_force(decision, is_pilot_over, expected):
    assert allocate_next(decision, make_rules(), is_pilot_over=is_pilot_over) == expected


def test_another_holdback_changes_the_shares():
    assert allocate_next(WINNER, make_rules(holdback_share=0.1), is_pilot_over=True)[1] == {"large": 0.9, "none": 0.1}


def test_the_promise_is_of_the_pilot_and_what_came_of_it_of_the_rest():
    lifts = compare_lifts(PILOT + AFTER, WINNER, make_rules())
    assert lifts["promised"].lift_ratio == pytest.approx(0.6 - 0.3)
    assert lifts["realised"].lift_ratio == pytest.approx(110 / 200 - 26 / 80)
    assert (lifts["realised"].n_variant, lifts["realised"].n_control) == (200, 80)


def test_nothing_is_realised_before_both_sides_have_mature_units():
    assert set(compare_lifts([*PILOT, AFTER[0]], WINNER, make_rules())) == {"promised"}


@pytest.mark.parametrize("decision", [WAIT, Decision("winner", "none", 0.99, 0.0, True, "")])
def test_without_a_variant_that_beat_the_control_nothing_is_promised(decision):
    assert compare_lifts(PILOT + AFTER, decision, make_rules()) == {}
