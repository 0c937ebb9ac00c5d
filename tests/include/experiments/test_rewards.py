from datetime import timedelta

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.assignment import place_units
from include.experiments.rewards import (
    COUNTED_REWARD,
    ClusterSum,
    UnitSum,
    count_exclusions,
    find_units,
    match_rewards,
    read_unit_sum,
    sightings_until,
    sum_found,
)
from tests.include.experiments.factories import START, came, invited, make_design, make_events

LATE = START + timedelta(days=30)


def sum_units(events, design, *, as_of, **in_force):
    sightings = sightings_until(events, design, as_of)
    units = find_units(sightings, design, in_force.get("waves", ()))
    rewards = match_rewards(sightings, units, design)
    return sum_found(units, rewards, design, as_of=as_of, **in_force), count_exclusions(
        sightings, units, rewards, design
    )


@pytest.fixture
def count(mulgil_home):
    def count(*rows, as_of=LATE, decided_at=None, **design):
        events = relation_of_arrow(open_engine(), make_events(*rows))
        sums, exclusions = sum_units(events, make_design(**design), as_of=as_of, decided_at=decided_at)
        parts = [UnitSum(**row) for row in open_engine().to_pyarrow(sums).to_pylist()]
        left_out: dict[str, int] = {}
        for row in open_engine().to_pyarrow(exclusions).to_pylist():
            if row["reason"] != COUNTED_REWARD:
                left_out[row["reason"]] = left_out.get(row["reason"], 0) + row["n_rows"]
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


def test_a_reward_that_a_covariate_asks_is_not_early(count):
    sums, left_out = count(invited("a", 2), came("a", 1), came("a", 3), asks_past_rewards=True)
    assert (sums[0].n_rewarded, left_out) == (1, {"reward_before_taking_part": 1})


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


def test_a_unit_seen_once_without_a_variant_is_left_out_everywhere(count):
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


def test_a_later_exposure_takes_no_evidence_of_the_pilot_away(count):
    rows = [invited("a", 0), came("a", 1)]
    assert count(*rows, invited("a", 100, "large"), invited("a", 101, "huge")) == count(*rows)


def test_who_begins_after_the_pilot_and_gets_two_variants_is_left_out(count):
    assert count(invited("a", 100), invited("a", 101, "large")) == ([], {"unit_in_two_variants": 1})


def test_what_is_left_out_is_told_by_when_its_unit_was_first_exposed(mulgil_home):
    rows = [
        *(invited("a", 0), invited("a", 1, "large"), came("a", 100)),
        *(invited("b", 100, "huge"), came("b", 101), came("c", 90), invited("c", 100), came("c", 101)),
        *(came("d", 97), invited("d", 95), came("ghost", 95), invited(None, 95), invited(None, 96)),
    ]
    events = relation_of_arrow(open_engine(), make_events(*rows))
    _, exclusions = sum_units(events, make_design(), as_of=LATE, decided_at=None)
    found = {}
    for row in open_engine().to_pyarrow(exclusions).to_pylist():
        found.setdefault((row["reason"], row["is_trial"]), []).append(row["n_rows"])
    assert found == {
        ("unit_in_two_variants", True): [1],
        ("reward_of_left_out_unit", True): [1],
        ("exposure_to_unknown_variant", False): [1],
        ("reward_of_left_out_unit", False): [1],
        ("reward_before_exposure", False): [1],
        ("counted_reward", False): [1],
        ("counted_reward", True): [1],
        ("reward_without_exposure", True): [1],
        ("record_without_unit", True): [1],
        ("record_without_unit", False): [1],
    }


def test_what_is_left_out_is_told_by_variant_and_day(mulgil_home):
    rows = [invited("a", 0), came("a", 1), invited("b", 25, "B "), invited(None, 26), came("ghost", 50)]
    events = relation_of_arrow(open_engine(), make_events(*rows))
    _, exclusions = sum_units(events, make_design(), as_of=LATE, decided_at=None)
    found = {tuple(row.values()) for row in open_engine().to_pyarrow(exclusions).to_pylist()}
    assert found == {
        ("counted_reward", "none", "2004-11-01", True, 1),
        ("exposure_to_unknown_variant", "B ", "2004-11-02", True, 1),
        ("record_without_unit", "none", "2004-11-02", True, 1),
        ("reward_without_exposure", "", "2004-11-03", True, 1),
    }


def test_households_are_summed_beside_their_people(mulgil_home):
    rows = [invited("a", 0), invited("b", 1), invited("c", 2), invited("d", 3, "large"), invited("e", 60)]
    rows += [came("a", 5), came("b", 5), came("c", 6)]
    homes = {"a": "h1", "b": "h1", "c": "h2", "d": "h3", "e": "h1"}
    table = make_events(*rows).append_column("home", pa.array([homes[row["person_id"]] for row in rows]))
    events = relation_of_arrow(open_engine(), table)
    sums, _ = sum_units(events, make_design(cluster="home"), as_of=START + timedelta(hours=60.5), decided_at=None)
    parts = {part.variant: part for part in map(read_unit_sum, open_engine().to_pyarrow(sums).to_pylist())}
    # h1 has a and b mature and rewarded, e not yet; h2 has c.
    assert parts["none"] == UnitSum("pilot", "none", False, 4, 3, 3, ClusterSum(2, 2, 5.0, 5.0, 5.0))
    assert parts["large"].clusters == ClusterSum(1, 1, 1.0, 0.0, 0.0)


def test_whose_household_nobody_knows_stands_alone(mulgil_home):
    rows = [invited("a", 0), invited("b", 1)]
    table = make_events(*rows).append_column("home", pa.array([None, None], pa.string()))
    sums, _ = sum_units(
        relation_of_arrow(open_engine(), table), make_design(cluster="home"), as_of=LATE, decided_at=None
    )
    [part] = map(read_unit_sum, open_engine().to_pyarrow(sums).to_pylist())
    assert (part.n_units, part.clusters.n_clusters) == (2, 2)
