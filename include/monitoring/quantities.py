"""Turns what the engine counted into rows of the warehouse, where the label of a problem is a quantity.

What belongs here: how far numbers were off, how often intervals held, and what was earned. What does not: two sides and
classes (`measurements.py`, `classes.py`), whose comparisons of columns these are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import ibis

from include.monitoring import aggregates
from include.monitoring.measurements import (
    OF_NUMBERS,
    Measured,
    Reference,
    Rows,
    correct_for_columns,
    measure_columns,
    measure_features,
    of_partitions,
    open_scored,
    partitions_to_measure,
    reference_of,
    reference_of_scores,
)
from include.names import PARTITION_KEY
from include.problems.schema import Problem
from include.problems.sections.learning import Quantity, Value
from include.problems.sections.monitor import Monitor
from include.stats.wilson import wilson_interval

PREDICTED, WIDTH = f"{OF_NUMBERS}predicted", f"{OF_NUMBERS}width"


@dataclass(frozen=True)
class MeasuredQuantities(Measured):
    """What was measured of some partitions, the numbers among it.

    Attributes:
        quantities: rows of `core.quantity_quality`.
    """

    quantities: Rows


def measure(
    definition: Problem,
    quantity: Quantity,
    monitor: Monitor,
    asked: Sequence[str],
    published: Sequence[str],
    references: Mapping[tuple[str, str], str],
    now: datetime,
) -> MeasuredQuantities:
    """Measure some partitions, and those whose reference has changed since they were measured.

    Args:
        asked: the partitions this run is for.
        published: all partitions with rows in the lake, oldest first.
        references: what was compared with what.
        now: the time of the measurement.
    """
    scores = open_scored(definition.name, published)
    n_scored = aggregates.count_scored(scores) if scores is not None else {}
    reference = reference_of(published, monitor)
    keys, versions = partitions_to_measure(asked, published, references, reference, n_scored)
    drifts = measure_features(definition, monitor, reference, keys)
    found: Rows = []
    if scores is not None:
        drifts += _measure_numbers(definition.name, monitor, scores, reference, versions, keys)
        value = definition.value or Value(unit="", over=1.0, under=1.0)
        found = [
            {"problem": definition.name, "measured_at_utc": now, **row}
            for row in summarise(of_partitions(scores, keys), quantity, value)
        ]
    return MeasuredQuantities(keys, correct_for_columns(drifts), [], [], found)


def summarise(scored: ibis.Table, quantity: Quantity, value: Value) -> Rows:
    """Sum up predictions by partition and model.

    Args:
        scored: predictions of a quantity, as the lake keeps them.
        quantity: unit, and the share that intervals shall hold.
        value: what a miss costs.

    Returns:
        rows of `core.quantity_quality` without the problem and the time; in the order of partitions and models.

    Source: Wilson 1927 for the interval of the share; rows of one day hang together, so that it is somewhat too narrow.
    """
    low, high = (1 - quantity.interval) / 2, (1 + quantity.interval) / 2
    miss = scored["predicted"] - scored["actual"]
    known = scored["label_known"]
    figures = {
        "n_rows": scored.count(),
        "n_labelled": known.cast("int64").sum(),
        "mae": miss.abs().mean(where=known),
        "mean_square": (miss * miss).mean(where=known),
        "bias": miss.mean(where=known),
        "pinball": (_pinball(scored, "low", low) + _pinball(scored, "high", high)).mean(where=known) / 2,
        "n_below": (known & (scored["actual"] < scored["low"])).cast("int64").sum(),
        "n_above": (known & (scored["actual"] > scored["high"])).cast("int64").sum(),
        "mean_width": (scored["high"] - scored["low"]).mean(),
        "profit": _profit(scored, "action", value).mean(where=known),
        "profit_before": _profit(scored, "action_before", value).mean(where=known),
    }
    grouped = scored.group_by([PARTITION_KEY, aggregates.MODEL_VERSION]).aggregate(**figures)
    rows = grouped.order_by([PARTITION_KEY, aggregates.MODEL_VERSION]).to_pyarrow().to_pylist()
    return [_summary(row, quantity) for row in rows]


def _summary(row: dict[str, Any], quantity: Quantity) -> dict[str, Any]:
    """Make one row of `core.quantity_quality` of what was counted."""
    n_labelled = row["n_labelled"]
    n_held = n_labelled - row["n_below"] - row["n_above"]
    shares = (n_held / n_labelled, *wilson_interval(n_held, n_labelled)) if n_labelled else (None, None, None)
    square = row.pop("mean_square")
    return {
        "partition_key": row.pop(PARTITION_KEY),
        **row,
        "rmse": None if square is None else sqrt(square),
        "unit": quantity.unit,
        "stated_ratio": quantity.interval,
        "n_held": n_held,
        **dict(zip(("coverage_ratio", "coverage_low", "coverage_high"), shares, strict=True)),
    }


def _pinball(scored: ibis.Table, end: str, level: float) -> ibis.expr.types.FloatingValue:
    """Give the pinball loss of one end of each interval."""
    miss = scored["actual"] - scored[end]
    return ibis.greatest(level * miss, (level - 1) * miss)


def _profit(scored: ibis.Table, planned: str, value: Value) -> ibis.expr.types.FloatingValue:
    """Give what planning with a column earned in each row, at most 0."""
    miss = scored[planned] - scored["actual"]
    return -ibis.greatest((value.over or 1.0) * miss, -(value.under or 1.0) * miss)


def _measure_numbers(
    problem: str,
    monitor: Monitor,
    scores: ibis.Table,
    reference: Reference,
    versions: Mapping[str, Sequence[str]],
    keys: Sequence[str],
) -> Rows:
    """Compare what the models say of some partitions with what the same model said of its reference.

    Returns:
        rows of `core.feature_drift` for the prediction and for the width of its interval.
    """
    found: Rows = []
    for version, scored in versions.items():
        own = reference_of_scores(reference, version, scored)
        wanted = sorted(set(keys) & set(scored))
        if not wanted:
            continue
        rows = of_partitions(scores.filter(scores[aggregates.MODEL_VERSION] == version), {*own.keys, *wanted})
        # Seven digits: widths that differ in the sixteenth are one width, and not as many bins.
        width = (rows["high"] - rows["low"]).cast("float32").cast("float64")
        said = rows.select(PARTITION_KEY, **{PREDICTED: rows["predicted"], WIDTH: width})
        found += measure_columns(problem, monitor, said, {PREDICTED: "number", WIDTH: "number"}, own, wanted)
    return found
