"""Reads what an experiment's metrics sum up to from the lake; no row leaves the engine.

What belongs here: opening the log and running the sums. What does not: how they are made (`values.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import ibis.expr.types as ir

from include.engine.session import open_engine
from include.experiments.design import Design
from include.experiments.metrics.definitions import Measure, Metric, with_covariate
from include.experiments.metrics.values import SUMS, find_quantiles, measure_units, measures_of, sum_metrics
from include.experiments.rewards import find_pilot_units
from include.lake.reading import open_rows
from include.names import events_table
from include.stats.ratio_sums import RatioSums


@dataclass(frozen=True)
class MetricSum:
    """What one metric's units of one variant sum up to.

    Attributes:
        n_mature: units of the pilot whose number is known.
        n_unread: rows whose number is missing, or none that can be added up, also of what it did before its exposure
            where that is asked; they count as 0.
        sums: over what was drawn; a variant without mature units sums nothing.
        beside: the same of each unit as y, and what it did before its exposure as m; None where that is not asked, and
            of ratios.
    """

    n_mature: int
    n_unread: int
    sums: RatioSums
    beside: RatioSums | None = None


def read_metric_sums(
    problem: str,
    partitions: Sequence[str],
    design: Design,
    metrics: Sequence[Metric],
    *,
    as_of: datetime,
    covariate: Measure | None = None,
) -> list[dict[str, MetricSum]]:
    """Sum the metrics of the pilot's units in some published partitions, as of a moment.

    Args:
        problem: name of the problem.
        partitions: published partitions to read.
        design: who is counted.
        metrics: what is asked.
        as_of: what happens at this moment or later is not known yet.
        covariate: what is added up of each unit before its exposure.

    Returns:
        for each metric every variant of the design.
    """
    return sum_log(open_rows(events_table(problem), partitions), design, metrics, as_of=as_of, covariate=covariate)


def sum_log(
    events: ir.Table,
    design: Design,
    metrics: Sequence[Metric],
    *,
    as_of: datetime,
    covariate: Measure | None = None,
) -> list[dict[str, MetricSum]]:
    """Sum the metrics of the pilot's units of some log rows; otherwise as `read_metric_sums`."""
    adjusted = [place for place, one in enumerate(metrics) if covariate is not None and one.denominator is None]
    pairs = [with_covariate(metrics[place], covariate) for place in adjusted if covariate is not None]
    asked, engine = [*metrics, *pairs], open_engine()
    measures = measures_of(asked)
    units = find_pilot_units(events, design, as_of=as_of)
    measured = measure_units(events, units, design, measures, as_of=as_of)
    caps = {place: measure.cap for place, measure in enumerate(measures) if measure.cap is not None}
    quantiles = find_quantiles(measured, measures)
    found = engine.to_pyarrow(quantiles).to_pylist()[0] if quantiles is not None else {}
    # No unit is mature yet where there is no quantile, so that there is nothing to cut off either.
    caps |= {int(name.removeprefix("cap_")): value for name, value in found.items() if value is not None}
    sums = sum_metrics(measured, asked, measures, caps, is_clustered=design.cluster is not None)
    rows = {row["variant"]: row for row in engine.to_pyarrow(sums).to_pylist()}
    nobody = MetricSum(0, 0, RatioSums(0, 0.0, 0.0, 0.0, 0.0, 0.0))
    found_sums = [
        {name: _read_sum(rows[name], index) if name in rows else nobody for name in design.variants}
        for index in range(len(asked))
    ]
    for place, beside in zip(adjusted, found_sums[len(metrics) :], strict=True):
        # The pair's rows without a number are the metric's own and the covariate's.
        found_sums[place] = {
            name: replace(one, beside=beside[name].sums, n_unread=beside[name].n_unread)
            for name, one in found_sums[place].items()
        }
    return found_sums[: len(metrics)]


def _read_sum(row: dict[str, float], index: int) -> MetricSum:
    """Read one metric of one variant."""
    sums = RatioSums(int(row[f"n_{index}"]), *(float(row[f"{name}_{index}"]) for name in SUMS[1:]))
    return MetricSum(int(row[f"n_mature_{index}"]), int(row[f"n_unread_{index}"]), sums)
