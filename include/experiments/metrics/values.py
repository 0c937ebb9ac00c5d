"""What each unit of the pilot did, as numbers, and their sums: rows become sums here, on the engine.

What belongs here: units with what is measured of them, caps and sums as relations. What does not: who can be counted at
all (`rewards.py`), running the queries (`log.py`), and what sums mean (`comparison.py`).

Numbers are added up as decimals with six places: sums are the same in whatever order an engine adds.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import ibis
import ibis.expr.types as ir

from include.experiments.design import Design
from include.experiments.metrics.definitions import Measure, Metric

_EXACT = "decimal(18, 6)"
# DuckDB multiplies two of 18 digits in 64 bits, which overflow; Spark rounds the product of two of 19.
_WIDE = "decimal(19, 6)"
LARGEST = 1e11  # of one row; a unit's rows together stay below the 1e12 that the type holds
SUMS = ("n", "sum_y", "sum_m", "sum_yy", "sum_mm", "sum_ym")


def measures_of(metrics: Sequence[Metric]) -> list[Measure]:
    """List what is added up, each once."""
    return list(dict.fromkeys(measure for metric in metrics for measure in metric.measures))


def measure_units(
    events: ir.Table, units: ir.Table, design: Design, measures: Sequence[Measure], *, as_of: datetime
) -> ir.Table:
    """Give each unit what was measured of it, as far as its time is up.

    Args:
        events: log rows.
        units: that can be counted: unit, cluster, variant, exposed_at (UTC without a zone).
        design: names of columns.
        measures: what is added up.
        as_of: what happens at this moment or later is not known yet; UTC.

    Returns:
        unit, cluster, variant, and for the measure at place i `is_mature_i`, `value_i` (0 before its time is up, and
        of who did nothing) and `n_unread_i`: rows whose number is missing, or none that can be added up.
    """
    rows = events.filter(events[design.event].isin(sorted({measure.event for measure in measures})))
    named = sorted({measure.value for measure in measures if measure.value is not None})
    rows = rows.select(
        seen_unit=rows[design.unit].cast("string"),
        kind=rows[design.event],
        seen_at=rows[design.event_time].cast("timestamp(6)"),
        **{f"column_{name}": rows[name].cast("float64") for name in named},
    )
    joined = units.inner_join(rows.filter(rows.seen_at < _naive(as_of)), units.unit == rows.seen_unit)
    totals = joined.group_by(total_unit=joined.unit).agg(
        **{name: column for place, one in enumerate(measures) for name, column in _totals(joined, one, place).items()}
    )
    found = units.left_join(totals, units.unit == totals.total_unit)
    columns: dict[str, ir.Value] = {"unit": found.unit, "cluster": found.cluster, "variant": found.variant}
    for place, measure in enumerate(measures):
        is_mature = found.exposed_at + _interval(measure.end) <= _naive(as_of)
        total = found[f"total_{place}"].fill_null(0)
        total = ibis.ifelse(total > 0, 1, 0) if measure.is_binary else total
        columns[f"is_mature_{place}"] = is_mature
        columns[f"value_{place}"] = ibis.ifelse(is_mature, total.cast(_EXACT), ibis.literal(0).cast(_EXACT))
        columns[f"n_unread_{place}"] = found[f"unread_{place}"].fill_null(0) if measure.value else ibis.literal(0)
    return found.select(**columns)


def _totals(joined: ir.Table, measure: Measure, place: int) -> dict[str, ir.Value]:
    """Add up what one measure counts of each unit."""
    seen, since = joined.seen_at, joined.exposed_at
    counts = (joined.kind == measure.event) & (seen >= since + _interval(measure.start))
    counts &= seen < since + _interval(measure.end)
    if measure.value is None:
        return {f"total_{place}": counts.cast("int64").sum()}
    value = joined[f"column_{measure.value}"]
    is_read = (value.notnull() & (value.abs() < LARGEST)).fill_null(False)
    exact = ibis.ifelse(counts & is_read, value, 0.0).cast(_EXACT)
    return {f"total_{place}": exact.sum(), f"unread_{place}": (counts & ~is_read).cast("int64").sum()}


def find_quantiles(measured: ir.Table, measures: Sequence[Measure]) -> ir.Table | None:
    """Give one row with `cap_i` for each measure that is cut at a quantile of all mature units; None without any."""
    cut = {
        f"cap_{place}": measured[f"value_{place}"]
        .cast("float64")
        .quantile(measure.quantile, where=measured[f"is_mature_{place}"])
        for place, measure in enumerate(measures)
        if measure.quantile is not None
    }
    return measured.aggregate(**cut) if cut else None


def sum_metrics(
    measured: ir.Table,
    metrics: Sequence[Metric],
    measures: Sequence[Measure],
    caps: Mapping[int, float],
    *,
    is_clustered: bool,
) -> ir.Table:
    """Sum units, or the clusters that they were drawn in, by variant.

    Args:
        measured: from `measure_units`.
        metrics: what is asked.
        measures: in the order of `measured`.
        caps: by place of a measure, what more of one unit counts as.
        is_clustered: whether clusters were drawn.

    Returns:
        variant, and for the metric at place i those of `SUMS`, `n_mature` and `n_unread`, each with `_i` after it.
    """
    places = {measure: place for place, measure in enumerate(measures)}
    for place, cap in caps.items():
        value = measured[f"value_{place}"]
        top = ibis.literal(cap).cast(_EXACT)
        measured = measured.mutate(**{f"value_{place}": ibis.ifelse(value > top, top, value)})
    drawn: dict[str, ir.Value] = {}
    for index, metric in enumerate(metrics):
        used = [places[one] for one in metric.measures]
        is_mature = measured[f"is_mature_{used[0]}"] & measured[f"is_mature_{used[-1]}"]
        none = ibis.literal(0).cast(_EXACT)
        one = ibis.literal(1).cast(_EXACT) if metric.denominator is None else measured[f"value_{used[1]}"]
        unread = measured[f"n_unread_{used[0]}"]
        unread = unread if metric.denominator is None else unread + measured[f"n_unread_{used[1]}"]
        drawn |= {
            f"k_{index}": is_mature.cast("int64"),
            f"y_{index}": ibis.ifelse(is_mature, measured[f"value_{used[0]}"], none),
            f"m_{index}": ibis.ifelse(is_mature, one, none),
            f"u_{index}": unread,
        }
    drawn_rows = measured.select("variant", "cluster", **drawn)
    if is_clustered:
        drawn_rows = drawn_rows.group_by("variant", "cluster").agg(
            **{name: drawn_rows[name].sum().cast("int64" if name[0] in "ku" else _EXACT) for name in drawn}
        )
    return drawn_rows.group_by("variant").agg(
        **{name: column for index in range(len(metrics)) for name, column in _sums(drawn_rows, index).items()}
    )


def _sums(drawn: ir.Table, index: int) -> dict[str, ir.Value]:
    """Sum what was drawn for one metric."""
    y, m, k = drawn[f"y_{index}"], drawn[f"m_{index}"], drawn[f"k_{index}"]
    wide_y, wide_m = y.cast(_WIDE), m.cast(_WIDE)
    sums = {"sum_y": y, "sum_m": m, "sum_yy": wide_y * y, "sum_mm": wide_m * m, "sum_ym": wide_y * m}
    return {
        f"n_{index}": (k > 0).cast("int64").sum(),
        f"n_mature_{index}": k.sum(),
        f"n_unread_{index}": drawn[f"u_{index}"].sum(),
        **{f"{name}_{index}": product.sum().cast("float64") for name, product in sums.items()},
    }


def _interval(period: timedelta) -> ir.IntervalScalar:
    """Write a period for the engine."""
    return ibis.interval(seconds=int(period.total_seconds()))


def _naive(moment: datetime) -> ir.TimestampScalar:
    """Write a moment as the zoneless UTC that exposures are compared by."""
    return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")
