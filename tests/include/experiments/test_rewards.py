from datetime import timedelta

import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.assignment import place_units
from include.experiments.rewards import UnitSum, sum_units
from tests.include.experiments.factories import START, came, invited, make_design, make_events

LATE = START + timedelta(days=30)


@pytest.fixture
def count(mulgil_home):
    def count(*rows, as_of=LATE, decided_at=None, **design):
        events = relation_of_arrow(open_engine(), make_events(*rows))
        sums, exclusions = sum_units(events, make_design(**design), as_of=as_of, decided_at=decided_at)
        parts = [UnitSum(**row) for row in open_engine().to_pyarrow(sums).to_pylist()]
        left_out = {row["reason"]: row["n_rows"] for row in open_engine().to_pyarrow(exclusions).to_pylist()}
        return sorted(parts, key=lambda part: (part.phase, part.variant, part.is_after_decision)), left_out

    return count


def test_three_people_two_variants_one_reward_by_hand(count):
    sums, left_out = count(invited("a", 1), invited("b", 2), invited("c", 3, "large"), came("a", 5))
    assert sums == [UnitSum("pilot", "large", False, 1, 1, 0), UnitSum("pilot", "none", False, 2, 2, 1)]
    assert left_out == {}


def test_no_rows_give_no_sums(count):
    assert count() == ([], {})


@pytest.mark.parametrize(("hours", "n_mature"), [(47.999, 0), (48, 1)])
def test_a_unit_counts_only_when_its_window_has_elapsed(count, hours, n_mature):
    sums, _ = count(invited("a", 0), came("a", 1), as_of=START + timedelta(hours=hours))
    assert sums == [UnitSum("pilot", "none", False, 1, n_mature, n_mature)]


@pytest.mark.parametrize(
    ("hours", "n_rewarded", "left_out"),
    [
        (1.999, 0, {"reward_before_exposure": 1}),
        (2, 1, {}),
        (49.999, 1, {}),
        (50, 0, {"reward_after_window": 1}),
    ],
)
def test_a_reward_counts_from_the_exposure_on_until_the_window_has_elapsed(count, hours, n_rewarded, left_out):
    sums, seen = count(invited("a", 2), came("a", hours))
    assert (sums[0].n_rewarded, seen) == (n_rewarded, left_out)


def test_another_window_changes_what_counts(count):
    sums, left_out = count(invited("a", 2), came("a", 5), attribution_window=timedelta(hours=2))
    assert (sums[0].n_rewarded, left_out) == (0, {"reward_after_window": 1})


def test_what_happens_at_the_end_of_the_window_or_later_is_not_known_yet(count):
    sums, left_out = count(invited("a", 0), invited("b", 48), came("x", 49), as_of=START + timedelta(hours=48))
    assert (sums, left_out) == ([UnitSum("pilot", "none", False, 1, 1, 0)], {})


def test_two_rewards_of_one_unit_are_one_rewarded_unit(count):
    sums, left_out = count(invited("a", 0), came("a", 1), came("a", 2), came("a", 60))
    assert (sums, left_out) == ([UnitSum("pilot", "none", False, 1, 1, 1)], {"reward_after_window": 1})


def test_a_second_exposure_to_the_same_variant_does_not_move_the_first(count):
    sums, _ = count(invited("a", 0), invited("a", 40), came("a", 60))
    assert sums == [UnitSum("pilot", "none", False, 1, 1, 0)]


def test_a_reward_without_an_exposure_is_counted_apart_and_the_others_stay(count):
    sums, left_out = count(invited("a", 0), came("a", 1), came("ghost", 1))
    assert (sums, left_out) == ([UnitSum("pilot", "none", False, 1, 1, 1)], {"reward_without_exposure": 1})


def test_a_unit_in_two_variants_is_left_out_with_its_rewards(count):
    sums, left_out = count(invited("a", 0), invited("b", 0), invited("b", 9, "large"), came("b", 10))
    assert sums == [UnitSum("pilot", "none", False, 1, 1, 0)]
    assert left_out == {"unit_in_two_variants": 1, "reward_of_left_out_unit": 1}


@pytest.mark.parametrize("variant", ["huge", None])
def test_a_variant_that_the_problem_does_not_name_is_left_out(count, variant):
    sums, left_out = count(invited("a", 0), invited("b", 0, variant))
    assert (sums, left_out) == ([UnitSum("pilot", "none", False, 1, 1, 0)], {"exposure_to_unknown_variant": 1})


def test_a_unit_seen_once_without_a_variant_is_left_out_even_if_it_has_one_elsewhere(count):
    sums, left_out = count(invited("a", 0), invited("a", 1, None))
    assert (sums, left_out) == ([], {"exposure_to_unknown_variant": 1})


def test_records_without_a_unit_are_counted_apart(count):
    _, left_out = count(invited("a", 0), invited(None, 0), came(None, 1))
    assert left_out == {"record_without_unit": 2}


def test_events_of_other_kinds_are_none_of_the_experiments_business(count):
    other = invited("z", 0) | {"event": "complained"}
    assert count(invited("a", 0), other) == count(invited("a", 0))


@pytest.mark.parametrize(("hours", "phase"), [(95.999, "pilot"), (96, "rest")])
def test_who_is_exposed_after_the_pilot_belongs_to_the_rest(count, hours, phase):
    sums, _ = count(invited("a", hours))
    assert sums[0].phase == phase


def test_the_holdback_is_who_the_hash_says(count):
    units = [f"u{index}" for index in range(200)]
    sums, _ = count(*(invited(unit, 100) for unit in units), holdback_share=0.3)
    n_held = int((place_units(units, "s") < 0.3).sum())
    assert {part.phase: part.n_units for part in sums} == {"holdback": n_held, "rest": 200 - n_held}


def test_another_salt_holds_other_units_back(count):
    units = [f"u{index}" for index in range(200)]
    sums, _ = count(*(invited(unit, 100) for unit in units), holdback_share=0.3, salt="t")
    assert {part.phase: part.n_units for part in sums}["holdback"] == int((place_units(units, "t") < 0.3).sum())


def test_only_later_units_exposed_from_the_decision_on_are_after_it(count):
    rows = [invited("a", 0), invited("b", 100), invited("c", 110)]
    sums, _ = count(*rows, decided_at=START + timedelta(hours=110))
    assert [(part.phase, part.is_after_decision) for part in sums] == [
        ("pilot", False),
        ("rest", False),
        ("rest", True),
    ]


def test_the_order_of_the_log_changes_nothing(count):
    rows = [invited("a", 0), came("a", 1), invited("b", 0), invited("b", 9, "large"), came("ghost", 3)]
    assert count(*rows) == count(*reversed(rows))
