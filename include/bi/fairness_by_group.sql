-- Grain: one row per problem, model version, group and metric, on held-out rows.
-- Reads: core.fairness_metric.
-- Units: rates 0..1, calibration_gap -1..1 (mean probability less what happened); difference is to all other rows. low and
-- high are 95 % bootstrap intervals. Missing numbers have a note that says why.
SELECT
    problem,
    model_version,
    group_name,
    group_value,
    metric,
    value,
    low,
    high,
    difference,
    difference_low,
    difference_high,
    n_rows,
    note
FROM core.fairness_metric
