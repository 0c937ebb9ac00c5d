"""Metrics, sums and logs with money in them, to change one thing at a time."""

from datetime import timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.metrics.definitions import Measure, Metric
from include.experiments.metrics.log import MetricSum
from include.stats.ratio_sums import RatioSums
from tests.include.experiments.factories import came, make_events

TWO_DAYS = timedelta(days=2)


def make_measure(**changes: Any) -> Measure:
    whole = {"event": "came", "value": "dollars", "is_binary": False, "start": timedelta(0), "end": TWO_DAYS}
    return Measure(**{**whole, **changes})


def make_metric(**changes: Any) -> Metric:
    return Metric(**{"name": "money", "role": "secondary", "kind": "sum", "numerator": make_measure(), **changes})


HITS = make_measure(value=None, is_binary=True)


def paid(unit: str, hours: float, dollars: float | None) -> dict[str, Any]:
    return came(unit, hours) | {"dollars": dollars}


def make_log(*rows: dict[str, Any]) -> ir.Table:
    dollars = pa.array([row.get("dollars") for row in rows], pa.float64())
    events = make_events(*({name: row[name] for name in row if name != "dollars"} for row in rows))
    return relation_of_arrow(open_engine(), events.append_column("dollars", dollars))


def sum_numbers(y: Any, m: Any = None, n_mature: int | None = None) -> MetricSum:
    y = np.asarray(y, dtype=float)
    m = np.ones(len(y)) if m is None else np.asarray(m, dtype=float)
    sums = RatioSums(len(y), *map(float, (y.sum(), m.sum(), y @ y, m @ m, y @ m)))
    return MetricSum(len(y) if n_mature is None else n_mature, 0, sums)
