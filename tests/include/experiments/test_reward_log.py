from datetime import timedelta

import pytest

from include import names
from include.errors import NotInLake
from include.experiments.reward_log import read_sums
from include.experiments.rewards import Exclusion, UnitSum
from include.experiments.running_sums import Base, RunningSums
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, came, invited, make_design

DAYS = ["2004-11-01", "2004-11-02", "2004-11-05"]


@pytest.fixture
def log(outreach):
    """Two people of the pilot, one of whom comes the next day, and one after it; one without a name."""
    rows = [invited("a", 1, "large"), invited("b", 2), came("a", 25), invited(None, 3), invited("c", 97, "large")]
    outreach.publish(*rows)


def test_sums_come_from_the_partitions_asked_and_from_no_other(log):
    found = read_sums(PROBLEM, DAYS[:2], make_design(), as_of=START + timedelta(days=9), decided_at=None)
    sums, left_out = found.sums, found.exclusions
    assert sorted(sums, key=lambda part: part.variant) == [
        UnitSum("pilot", "large", False, 1, 1, 1),
        UnitSum("pilot", "none", False, 1, 1, 0),
    ]
    assert left_out == [
        Exclusion("counted_reward", "large", "2004-11-02", 1),
        Exclusion("record_without_unit", "none", "2004-11-01", 1),
    ]
    first = read_sums(PROBLEM, DAYS[:1], make_design(), as_of=START + timedelta(days=9), decided_at=None).sums
    assert {part.variant: part.n_rewarded for part in first} == {"large": 0, "none": 0}


def test_what_happens_after_the_moment_is_not_known_yet(log):
    sums = read_sums(PROBLEM, DAYS, make_design(), as_of=START + timedelta(hours=24), decided_at=None).sums
    assert {(part.variant, part.n_mature, part.n_rewarded) for part in sums} == {("large", 0, 0), ("none", 0, 0)}


def test_exposures_after_the_decision_are_summed_apart(log):
    decided_at = START + timedelta(days=4)
    found = read_sums(PROBLEM, DAYS, make_design(), as_of=START + timedelta(days=9), decided_at=decided_at)
    assert {(part.phase, part.is_after_decision) for part in found.sums} == {("pilot", False), ("rest", True)}


@pytest.mark.parametrize("days_later", [2, 5, 9])
def test_going_on_from_a_window_gives_what_the_whole_log_gives(log, days_later):
    design, day = make_design(), START + timedelta(days=1)
    early = read_sums(PROBLEM, DAYS[:1], design, as_of=day, decided_at=None)
    base, as_of = Base(early, DAYS[:1], day), START + timedelta(days=days_later)
    whole = read_sums(PROBLEM, DAYS, design, as_of=as_of, decided_at=None)
    assert read_sums(PROBLEM, DAYS, design, as_of=as_of, decided_at=None, base=base) == whole
    assert whole != early


def test_clusters_are_counted_whole(log):
    design, wrong = make_design(cluster="variant"), Base(RunningSums([], []), DAYS, START)
    asked = {"as_of": START + timedelta(days=9), "decided_at": None}
    assert read_sums(PROBLEM, DAYS, design, **asked, base=wrong) == read_sums(PROBLEM, DAYS, design, **asked)


def test_a_log_that_was_never_published_is_named(house):
    with pytest.raises(NotInLake, match=names.events_table(PROBLEM)):
        read_sums(PROBLEM, DAYS, make_design(), as_of=START, decided_at=None)
