from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from include.engine.predicates import add_predicates
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProblem
from include.lake.joins.label_log import join_labels, label_log_of
from include.lake.joins.log_state import LogState
from include.names import LABEL_IS_DUE
from include.problems.schema import Problem

DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
SOURCE = {
    "landing": "orders",
    "grain": "day",
    "key": ["order_id"],
    "event_time": "sent_at",
    "columns": {"order_id": {"type": "string"}, "sent_at": {"type": "timestamp"}, "price": {"type": "number"}},
}
RETURNS = {
    "landing": "returns",
    "grain": "day",
    "key": ["return_id"],
    "event_time": "came_at",
    "columns": {
        "return_id": {"type": "string"},
        "came_at": {"type": "timestamp"},
        "order_id": {"type": "string"},
        "reason": {"type": "string"},
    },
}
LABEL = {
    "classes": ["no", "yes"],
    "positive": "yes",
    "source": "log",
    "from": "returns",
    "on": {"order_id": "order_id"},
    "within": "P10D",
    "absent": "no",
}


def make_problem(**label):
    people = dict.fromkeys(("title", "why", "owner", "escalation"), "x")
    return Problem(name="orders", **people, source=SOURCE, sources={"returns": RETURNS}, label=LABEL | label)


def make_orders(*orders):
    names, days = zip(*orders, strict=True)
    return relation_of_arrow(
        open_engine(),
        pa.table(
            {
                "order_id": pa.array(names, pa.string()),
                "sent_at": pa.array([START + DAY * day for day in days], TIME),
                "_row_key": [f"o{place}" for place in range(len(names))],
                "_partition_key": ["p"] * len(names),
            }
        ),
    )


def make_returns(*returns):
    names, days, reasons = zip(*returns, strict=True) if returns else ((), (), ())
    return relation_of_arrow(
        open_engine(),
        pa.table(
            {
                "return_id": pa.array([f"r{place}" for place in range(len(names))], pa.string()),
                "came_at": pa.array([START + DAY * day for day in days], TIME),
                "order_id": pa.array(names, pa.string()),
                "reason": pa.array(reasons, pa.string()),
                "_row_key": pa.array([f"r{place}" for place in range(len(names))], pa.string()),
            }
        ),
    )


def known_until(day, *holes):
    spans = tuple((START + DAY * start, START + DAY * end) for start, end in holes)
    return LogState("1", None if day is None else START + DAY * day, spans)


def answers(orders, returns, state, **label):
    """Give each order's answer: yes, no, or None where it is not known."""
    problem = make_problem(**label)
    rows = join_labels(orders, returns, problem, state)
    assert rows.columns[-2:] == ("returns", LABEL_IS_DUE)
    asked = {"_known": problem.label.known_sql, "_yes": problem.label.positive_sql}
    told = add_predicates(rows, asked).order_by("_row_key").to_pyarrow().to_pylist()
    return [("yes" if row["_yes"] else "no") if row["_known"] else None for row in told]


def test_a_row_of_which_nothing_came_has_its_class_only_after_the_period():
    orders = make_orders(("a", 0), ("b", 5), ("c", 11))
    assert answers(orders, make_returns(("a", 3, "broken")), known_until(15)) == ["yes", "no", None]


def test_a_label_that_came_early_is_not_known_before_the_period_is_over():
    assert answers(make_orders(("a", 0)), make_returns(("a", 3, "x")), known_until(9)) == [None]
    assert answers(make_orders(("a", 0)), make_returns(("a", 3, "x")), known_until(10)) == ["yes"]


@pytest.mark.parametrize(("day", "answer"), [(-0.001, "no"), (0, "yes"), (10, "yes"), (10.001, "no")])
def test_a_label_counts_from_its_event_to_the_end_of_the_period(day, answer):
    assert answers(make_orders(("a", 0)), make_returns(("a", day, "x")), known_until(30)) == [answer]


def test_nothing_is_concluded_while_a_partition_of_the_label_log_is_refused():
    orders = make_orders(("a", 0), ("b", 12), ("c", 20))
    assert answers(orders, make_returns(), known_until(40, (11, 12))) == ["no", "no", "no"]
    assert answers(orders, make_returns(), known_until(40, (10, 11))) == [None, "no", "no"]
    assert answers(orders, make_returns(), known_until(40, (25, 26))) == ["no", "no", None]


def test_a_row_without_a_key_and_a_log_that_is_not_there_say_nothing():
    assert answers(make_orders((None, 0), ("b", 0)), make_returns((None, 1, "x")), known_until(30)) == [None, "no"]
    assert answers(make_orders(("a", 0)), make_returns(), known_until(None)) == [None]


@pytest.mark.parametrize(("on_repeat", "answer"), [("keep_first", "yes"), ("keep_last", "no"), ("refuse", None)])
def test_of_several_labels_of_one_row_the_file_says_which_counts(on_repeat, answer):
    returns = make_returns(("a", 5, "kept"), ("a", 2, "broken"), ("b", 1, "broken"))
    label = {"on_repeat": on_repeat, "positive_when": "returns.reason = 'broken'"}
    orders = make_orders(("a", 0), ("b", 0))
    assert answers(orders, returns, known_until(30), **label) == [answer, "yes"]


def test_a_row_of_which_nothing_came_stays_unknown_where_the_file_says_so():
    label = {"absent": "unknown", "positive_when": "returns.reason = 'broken'", "known_when": "returns.reason <> ''"}
    returns = make_returns(("a", 1, "broken"), ("b", 1, "other"), ("c", 1, ""))
    orders = make_orders(("a", 0), ("b", 0), ("c", 0), ("d", 0))
    assert answers(orders, returns, known_until(30), **label) == ["yes", "no", None, None]


def test_nothing_may_be_the_class_that_is_looked_for():
    orders = make_orders(("a", 0), ("b", 0))
    assert answers(orders, make_returns(("a", 1, "x")), known_until(30), absent="yes") == ["no", "yes"]


def test_two_rows_of_one_key_have_each_their_own_label():
    orders = make_orders(("a", 0), ("a", 20))
    assert answers(orders, make_returns(("a", 21, "x")), known_until(40)) == ["no", "yes"]


def test_a_problem_without_a_label_log_is_refused():
    people = dict.fromkeys(("title", "why", "owner", "escalation"), "x")
    with pytest.raises(BadProblem, match=r"label\.from names no other log"):
        label_log_of(Problem(name="orders", **people, source=SOURCE))
