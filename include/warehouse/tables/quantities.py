"""What is known of predicted numbers, where the label of a problem is a quantity."""

from sqlalchemy import Table

from include.warehouse.tables.base import METADATA, count, moment, number, partition_key, problem_key, text

QUANTITY_QUALITY = Table(
    "quantity_quality",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    text("unit", "of the label, and of every figure without a unit of its own"),
    count("n_rows", "scored rows"),
    count("n_labelled", "scored rows whose number is known"),
    number("mae", "mean absolute miss of the prediction", nullable=True),
    number("rmse", "root of the mean squared miss", nullable=True),
    number("bias", "mean of predicted less actual; above 0 it says too much", nullable=True),
    number("pinball", "mean pinball loss of both ends of the interval", nullable=True),
    number("stated_ratio", "share of rows that the interval shall hold, 0..1"),
    count("n_held", "rows whose number lies in its interval"),
    count("n_below", "rows whose number lies below its interval"),
    count("n_above", "rows whose number lies above its interval"),
    number("coverage_ratio", "share of rows whose number lies in its interval, 0..1", nullable=True),
    number("coverage_low", "lower end of its 95 % Wilson interval, 0..1", nullable=True),
    number("coverage_high", "upper end of its 95 % Wilson interval, 0..1", nullable=True),
    number("mean_width", "mean width of the interval", nullable=True),
    number("profit", "mean a row of what planning with it earned, in the unit of value, at most 0", nullable=True),
    number("profit_before", "the same, of planning by hour and weekday without a model", nullable=True),
    moment("measured_at_utc", "when"),
    comment="One row per monitored partition and model of a quantity; figures are missing while no number is known.",
)
