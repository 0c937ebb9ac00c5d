from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProblem
from include.lake.joins.lags import add_lags, windowed
from include.problems.sections.computed import Lag
from include.problems.sections.source import Source

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
COLUMNS = {
    "order_id": {"type": "string"},
    "sent_at": {"type": "timestamp"},
    "customer": {"type": "string"},
    "price": {"type": "number"},
}


def make_source(**lags):
    lags = {name: {"per": "customer", "over": "P10D"} | lag for name, lag in lags.items()}
    return Source(landing="orders", grain="day", key=["order_id"], event_time="sent_at", columns=COLUMNS, lags=lags)


def make_rows(customers, days, prices):
    moments = [START + DAY * float(day) for day in days]
    return relation_of_arrow(
        open_engine(),
        pa.table(
            {
                "order_id": [f"o{place:03d}" for place in range(len(customers))],
                "sent_at": pa.array(moments, pa.timestamp("us", "UTC")),
                "customer": pa.array(customers, pa.string()),
                "price": pa.array([float(price) for price in prices], pa.float64()),
                "_partition_key": [f"{moment:%Y-%m-%d}" for moment in moments],
            }
        ),
    )


def lags_of(rows, source, partitions=None):
    names = list(source.lags)
    read = add_lags(rows, source, partitions).order_by("order_id").to_pyarrow().to_pylist()
    return [tuple(row[name] for name in names) for row in read]


def test_a_lag_counts_the_earlier_rows_of_its_key_and_no_other():
    source = make_source(n={"sql": "count(*)", "type": "integer"}, paid={"sql": "sum(price)"})
    rows = make_rows(["ann", "bob", "ann", "ann", None], [0, 1, 2, 13, 5], [3, 5, 7, 9, 1])
    assert lags_of(rows, source) == [(0, None), (0, None), (1, 3.0), (0, None), (None, None)]


def test_rows_of_one_moment_do_not_see_each_other():
    source = make_source(n={"sql": "count(*)", "type": "integer"})
    assert lags_of(make_rows(["a"] * 3, [0, 0, 1], [1, 1, 1]), source) == [(0,), (0,), (2,)]


def test_a_gap_leaves_out_what_nobody_knew_yet():
    source = make_source(n={"sql": "count(*)", "type": "integer", "gap": "P2D"})
    assert lags_of(make_rows(["a"] * 4, [0, 1, 2, 3], [1] * 4), source) == [(0,), (0,), (1,), (2,)]


def test_an_expression_may_hold_several_aggregates_and_filters():
    source = make_source(ratio={"sql": "count(*) FILTER (WHERE price > 2) / nullif(count(*), 0)"})
    assert lags_of(make_rows(["a"] * 3, [0, 1, 2], [1, 3, 1]), source) == [(None,), (0.0,), (0.5,)]


def test_the_future_changes_no_lag():
    rng = np.random.default_rng(3)
    customers, days = rng.choice(["a", "b", "c"], 200).tolist(), np.sort(rng.uniform(0, 40, 200))
    prices = rng.integers(0, 50, 200).tolist()
    source = make_source(
        n={"sql": "count(*)", "type": "integer"}, most={"sql": "max(price)"}, all={"sql": "sum(price)"}
    )
    before = lags_of(make_rows(customers, days, prices), source)
    # From row 120 on everything is another: later, of another customer, dearer, or gone.
    moved = [*days[:120], *(days[120:] + 3)]
    others = [*customers[:120], *("z" if place % 2 else "a" for place in range(80))]
    after = lags_of(make_rows(others, moved, [*prices[:120], *(price * 9 + 1 for price in prices[120:])]), source)
    assert after[:120] == before[:120]
    assert lags_of(make_rows(customers[:120], days[:120], prices[:120]), source) == before[:120]
    assert after[120:] != before[120:]


def test_lags_are_what_python_counts():
    rng = np.random.default_rng(4)
    customers, days = rng.choice(["a", "b", None], 120).tolist(), rng.integers(0, 30, 120).astype(float)
    prices = rng.integers(0, 9, 120).tolist()
    source = make_source(n={"sql": "count(*)", "type": "integer"}, paid={"sql": "sum(price)"})
    wanted = []
    for who, day in zip(customers, days, strict=True):
        seen = [
            price
            for other, moment, price in zip(customers, days, prices, strict=True)
            if other == who and day - 10 <= moment < day
        ]
        wanted.append((None, None) if who is None else (len(seen), float(sum(seen)) if seen else None))
    assert lags_of(make_rows(customers, days, prices), source) == wanted


def test_only_the_wanted_partitions_are_given_and_they_look_back_on_others():
    source = make_source(n={"sql": "count(*)", "type": "integer"})
    rows = make_rows(["a"] * 3, [0, 1, 2], [1] * 3)
    assert lags_of(rows, source, ["2024-01-03"]) == [(2,)]
    assert lags_of(rows, source, []) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("price", "is no aggregate; write one such as count(*)"),
        ("sum(price) OVER ()", "has a window or query of its own"),
        ("(SELECT count(*) FROM events)", "has a window or query of its own"),
        ("sum(price", "is no SQL"),
    ],
)
def test_what_is_no_aggregate_of_earlier_rows_is_refused(sql, said):
    with pytest.raises(BadProblem, match=r"source\.lags\.x\.sql") as caught:
        windowed("x", Lag(per="customer", over="P1D", sql=sql))
    assert said in str(caught.value)


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(BadProblem, match=r"source\.lags cannot be computed.*prize.*Columns are: order_id, sent_at"):
        add_lags(make_rows(["a"], [0], [1]), make_source(x={"sql": "sum(prize)"}), None)
