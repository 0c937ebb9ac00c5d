from datetime import timedelta

import numpy as np
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.rewards import Exclusion, UnitSum
from include.experiments.running_sums import (
    RunningSums,
    carry_on,
    count_log,
    from_document,
    name_state,
    to_document,
    touched_rows,
)
from include.experiments.waves import WaveRange
from tests.include.experiments.factories import START, came, invited, make_design, make_events

DAY = timedelta(days=1)
WAVES = [WaveRange(START + 4 * DAY, START + 5 * DAY, "large", 0.3, 1.0)]


def draw_days(rng, n_days=9, n_units=60):
    """Draw a dirty log: units that come again, in two variants, unknown ones, nobody, rewards before and after."""
    days = []
    for day in range(n_days):
        rows = []
        for _ in range(rng.integers(0, 40)):
            unit = None if rng.random() < 0.03 else f"u{rng.integers(n_units)}"
            hours = 24 * day + float(rng.random()) * 24
            variant = str(rng.choice(["none", "large", "B "], p=[0.5, 0.47, 0.03]))
            rows.append(came(unit, hours) if rng.random() < 0.5 else invited(unit, hours, variant))
        days.append(rows)
    return days


def open_days(days):
    return relation_of_arrow(open_engine(), make_events(*(row for rows in days for row in rows)))


def at(day):
    """Give the moment and what is in force at the end of a day: the decision falls after the sixth."""
    return {"as_of": START + (day + 1) * DAY, "decided_at": START + 6 * DAY if day >= 6 else None, "waves": WAVES}


@pytest.mark.parametrize("seed", range(2))
def test_going_on_gives_what_counting_everything_gives(seed):
    days = draw_days(np.random.default_rng(seed))
    design = make_design(holdback_share=0.3, trial_end=START + 6 * DAY)
    carried, last = count_log(open_days(days[:1]), design, **at(0)), 0
    for day in range(1, len(days)):
        if day % 4 == 3:
            continue  # two days at once
        everything, new = open_days(days[: day + 1]), open_days(days[last + 1 : day + 1])
        since, until = (at(one)["as_of"] - design.attribution_window for one in (last, day))
        rows = touched_rows(everything, new, everything, design, since=since, until=until)
        before = count_log(rows, design, **(at(day) | {"as_of": at(last)["as_of"]}))
        carried, last = carry_on(carried, before, count_log(rows, design, **at(day))), day
        assert carried == count_log(open_days(days[: day + 1]), design, **at(day))


def test_what_counts_nothing_any_more_has_no_row():
    one = RunningSums([UnitSum("rest", "none", False, 2, 1, 1)], [Exclusion("r", "b", "2004-11-01", 2)])
    assert carry_on(one, one, RunningSums([], [])) == RunningSums([], [])
    twice = carry_on(one, RunningSums([], []), one)
    assert twice == RunningSums([UnitSum("rest", "none", False, 4, 2, 2)], [Exclusion("r", "b", "2004-11-01", 4)])


def test_sums_read_back_as_they_were_written():
    whole = count_log(open_days(draw_days(np.random.default_rng(1))), make_design(), **at(9))
    assert from_document(to_document(whole)) == whole


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"files": ["b", "a"]}, True),
        ({"files": ["a", "c"]}, False),
        ({"design": make_design(salt="other")}, False),
        ({"decided_at": START + 9 * DAY}, True),
        ({"decided_at": START + 2 * DAY}, False),
        ({"waves": [*WAVES, WaveRange(START + 9 * DAY, START + 10 * DAY, "none", 0.0, 1.0)]}, True),
        ({"waves": []}, False),
        ({"as_of": START + 7 * DAY}, False),
    ],
)
def test_sums_are_gone_on_from_only_where_nothing_of_then_has_changed(changes, is_same):
    asked = {"files": ["a", "b"], "as_of": START + 8 * DAY, "decided_at": None, "waves": WAVES}
    plain = name_state(make_design(), **asked)
    other = asked | changes
    assert (name_state(other.pop("design", make_design()), **other) == plain) == is_same
