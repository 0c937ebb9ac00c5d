import pytest

from include.problems.sections.review import Stop
from include.review.selection.stopping import reason_to_stop

STOP = Stop(change_below=0.01, rounds=2)


def test_two_quiet_rounds_stop_and_say_their_number():
    assert "at most 0.90% of the decisions" in str(reason_to_stop([0.2, 0.009, 0.001], STOP, 1_000))


@pytest.mark.parametrize("ratios", [[], [0.001], [0.001, 0.02], [0.02, 0.001], [0.001, None], [0.01, 0.001]])
def test_one_quiet_round_an_unknown_one_or_the_bound_itself_do_not(ratios):
    assert reason_to_stop(ratios, STOP, 1_000) is None


def test_without_a_rule_nothing_stops():
    assert reason_to_stop([0.0, 0.0, 0.0], None, 1_000) is None


def test_how_many_rounds_and_how_quiet_is_the_problems():
    assert reason_to_stop([0.5, 0.001], Stop(change_below=0.01, rounds=1), 1_000) is not None
    assert reason_to_stop([0.02, 0.02], Stop(change_below=0.03, rounds=2), 1_000) is not None


@pytest.mark.parametrize(("n_compared", "at_most"), [(100, "3.62%"), (10_000, "0.04%")])
def test_no_change_among_few_items_bounds_what_is_to_come_less_than_among_many(n_compared, at_most):
    assert str(reason_to_stop([0.0, 0.0], STOP, n_compared)).endswith(f"at most {at_most}")
