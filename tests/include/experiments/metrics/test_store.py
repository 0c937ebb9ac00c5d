from dataclasses import replace

from sqlalchemy import select

from include.experiments.metrics.comparison import compare_metric
from include.experiments.metrics.store import write_metrics
from include.warehouse.tables.experiments import EXPERIMENT_METRIC
from tests.include.experiments.metrics.factories import make_metric, sum_numbers

PAIRS = [("a", [1, 2, 4], [1, 2, 3]), ("b", [2, 5, 6], [2, 3, 3])]


def test_a_window_is_replaced_and_no_other(house):
    rows = compare_metric(make_metric(margin=1.0), {"a": sum_numbers([1, 2]), "b": sum_numbers([2, 5])}, "a", 0.95)
    with house.engine.begin() as connection:
        for key in ("1", "2", "1"):
            write_metrics(connection, "p", "experiment", key, list(rows.values()))
        write_metrics(connection, "p", "experiment", "2", [])
        found = connection.execute(select(EXPERIMENT_METRIC).order_by(EXPERIMENT_METRIC.c.variant)).mappings().all()
    assert [(row["partition_key"], row["variant"], row["lift"], row["margin"]) for row in found] == [
        ("1", "a", None, 1.0),
        ("1", "b", 2.0, 1.0),
    ]
    assert [(row["sum_y"], row["sum_yy"], row["n_drawn"]) for row in found] == [(3, 5, 2), (7, 29, 2)]


def test_a_lift_without_what_was_so_before_is_kept_with_its_band(house):
    sums = {name: replace(sum_numbers(y), beside=sum_numbers(y, x).sums) for name, y, x in PAIRS}
    rows = compare_metric(make_metric(), sums, "a", 0.95, has_covariate=True)
    with house.engine.begin() as connection:
        write_metrics(connection, "p", "experiment", "1", list(rows.values()))
        found = connection.execute(select(EXPERIMENT_METRIC).order_by(EXPERIMENT_METRIC.c.variant)).mappings().all()
    kept = [tuple(row[f"adjusted_{name}"] for name in ("lift", "low", "high")) for row in found]
    seen = rows["b"].adjustment
    assert kept == [(None, None, None), (seen.lift, seen.low, seen.high)]
    assert [(row["adjustment"], row["covariate_weight"]) for row in found] == [("adjusted", seen.weight)] * 2
