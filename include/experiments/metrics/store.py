"""Writes what was measured of an experiment's variants.

What belongs here: the table `core.experiment_metric`. What does not: what is written in it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from include.experiments.metrics.comparison import MetricVariant
from include.warehouse.loading import replace_rows
from include.warehouse.tables.experiments import EXPERIMENT_METRIC


def write_metrics(
    connection: Connection, problem: str, experiment: str, partition_key: str, rows: Sequence[MetricVariant]
) -> None:
    """Replace what one window measured, in the caller's transaction."""
    where = {"problem": problem, "experiment": experiment, "partition_key": partition_key}
    replace_rows(connection, EXPERIMENT_METRIC, where, [where | _flatten(row) for row in rows])


def _flatten(row: MetricVariant) -> dict[str, object]:
    """Write a metric of a variant as one row."""
    sums, seen = row.measured.sums, row.comparison
    adjusted = row.adjustment
    return {
        "metric": row.metric,
        "role": row.role,
        "variant": row.variant,
        "kind": row.kind,
        "is_lower_better": row.is_lower_better,
        "n_mature": row.measured.n_mature,
        "n_unread": row.measured.n_unread,
        "n_drawn": sums.n,
        "sum_y": sums.sum_y,
        "sum_m": sums.sum_m,
        "sum_yy": sums.sum_yy,
        "sum_mm": sums.sum_mm,
        "sum_ym": sums.sum_ym,
        "mean": seen.rate_ratio,
        "mean_low": seen.rate_low,
        "mean_high": seen.rate_high,
        "lift": seen.lift_ratio,
        "low": seen.low,
        "high": seen.high,
        "low_any_look": seen.low_any_look,
        "high_any_look": seen.high_any_look,
        "p_value": seen.p_value,
        "verdict": seen.verdict,
        "margin": row.margin,
        "adjustment": adjusted.state if adjusted else None,
        "covariate_weight": adjusted.weight if adjusted else None,
        "adjusted_lift": adjusted.lift if adjusted else None,
        "adjusted_low": adjusted.low if adjusted else None,
        "adjusted_high": adjusted.high if adjusted else None,
    }
