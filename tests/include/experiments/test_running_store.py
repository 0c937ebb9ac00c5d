from datetime import timedelta

import pytest
from sqlalchemy import select

from include.experiments.rewards import UnitSum
from include.experiments.running_store import find_base, write_running
from include.experiments.running_sums import RunningSums, name_state
from include.lake.reading import list_files
from include.names import events_table
from include.warehouse.tables.experiments import EXPERIMENT_RUNNING_SUM
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, came, invited, make_design

DAYS = ["2004-11-01", "2004-11-02"]
RUNNING = RunningSums([UnitSum("pilot", "none", False, 2, 1, 1)], [])
IN_FORCE = {"decided_at": None, "waves": []}


@pytest.fixture
def connection(outreach):
    """The first day was counted, the second has landed."""
    outreach.publish(invited("a", 1), came("a", 2), came("a", 26))
    state = name_state(
        make_design(), list_files(events_table(PROBLEM), DAYS[:1]), as_of=START + timedelta(days=1), **IN_FORCE
    )
    with outreach.engine.connect() as connection:
        write_running(connection, PROBLEM, "experiment", DAYS[0], RUNNING, state)
        yield connection


def find(connection, key=DAYS[1], design=None, **changes):
    asked = {"grain": "day", **IN_FORCE, **changes}
    return find_base(connection, PROBLEM, "experiment", key, DAYS, design or make_design(), **asked)


def test_the_window_before_is_gone_on_from(connection):
    base = find(connection)
    assert (base.running, base.partitions, base.as_of) == (RUNNING, DAYS[:1], START + timedelta(days=1))
    assert find(connection, key=DAYS[0]) is None


def test_a_partition_that_was_replaced_makes_everything_count(connection, outreach):
    outreach.publish(invited("a", 1), invited("b", 1))
    assert find(connection) is None


def test_another_plan_or_decision_makes_everything_count(connection):
    assert find(connection, design=make_design(salt="other")) is None
    assert find(connection, decided_at=START) is None
    assert find(connection, decided_at=START + timedelta(days=1)) is not None


def test_two_windows_are_kept(connection):
    for key in (DAYS[1], "2004-11-03", "2004-11-03", "2004-11-02"):
        write_running(connection, PROBLEM, "experiment", key, RUNNING, "s")
    keys = connection.scalars(select(EXPERIMENT_RUNNING_SUM.c.partition_key).order_by("partition_key"))
    assert list(keys) == ["2004-11-02", "2004-11-03"]
