from datetime import UTC, datetime, timedelta

import pyarrow as pa

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.joins.lookups import look_up
from include.problems.schema import Problem
from tests.include.lake.joins.test_label_log import SOURCE, make_orders

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
STATES = {
    "landing": "states",
    "grain": "day",
    "key": ["state_id"],
    "event_time": "since",
    "columns": {
        "state_id": {"type": "string"},
        "since": {"type": "timestamp"},
        "order": {"type": "string"},
        "tier": {"type": "string"},
    },
}


def make_problem(columns=("tier",)):
    people = dict.fromkeys(("title", "why", "owner", "escalation"), "x")
    lookup = {"from": "states", "on": {"order_id": "order"}, "columns": columns}
    return Problem(name="orders", **people, source=SOURCE, sources={"states": STATES}, lookups={"tier": lookup})


def tiers(orders, *states, columns=("tier",)):
    names, days, said = zip(*states, strict=True) if states else ((), (), ())
    log = pa.table(
        {
            "since": pa.array([START + DAY * day for day in days], pa.timestamp("us", "UTC")),
            "order": pa.array(names, pa.string()),
            "tier": pa.array(said, pa.string()),
            "_row_key": pa.array([f"s{place}" for place in range(len(names))], pa.string()),
        }
    )
    problem = make_problem(columns)
    rows = look_up(orders, relation_of_arrow(open_engine(), log), problem, problem.lookups["tier"])
    return [row[rows.columns[-1]] for row in rows.order_by("_row_key").to_pyarrow().to_pylist()]


def test_a_row_has_the_newest_state_that_is_not_later_than_its_event():
    orders = make_orders(("a", 0), ("a", 5), ("a", 9), ("b", 9), (None, 9))
    states = [("a", 1, "new"), ("a", 5, "old"), ("a", 20, "gone"), (None, 0, "nobody")]
    assert tiers(orders, *states) == [None, "old", "old", None, None]


def test_what_comes_later_changes_nothing():
    orders = make_orders(("a", 5), ("b", 6))
    states = [("a", 1, "new"), ("b", 2, "new")]
    assert tiers(orders, *states) == tiers(orders, *states, ("a", 5.001, "x"), ("b", 7, "x"))


def test_of_two_states_of_one_moment_always_the_same_one_counts():
    orders = make_orders(("a", 5))
    assert tiers(orders, ("a", 1, "one"), ("a", 1, "two")) == ["two"]


def test_a_looked_up_column_may_have_a_name_of_its_own():
    assert make_problem({"tier_then": "tier"}).columns["tier_then"].type == "string"
    assert tiers(make_orders(("a", 5)), ("a", 1, "one"), columns={"tier_then": "tier"}) == ["one"]
    assert tiers(make_orders(("a", 5))) == [None]
