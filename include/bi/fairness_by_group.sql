-- Grain: one row per problem, model version, group and metric, on held-out rows.
-- Reads: core.fairness_metric.
-- Units: rates 0..1, calibration_gap -1..1 (mean probability less what happened); difference is to all other rows. low and
-- high are 95 % bootstrap intervals. Missing numbers have a note that says why.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was measured
--   group_name: column that makes the groups
--   group_value: the group
--   metric: selection_rate, true_positive_rate, false_positive_rate or calibration_gap
--   value: the metric of the group, rate 0..1, or -1..1 for calibration_gap; missing for a group that is too small
--   low: lower end of the 95 % bootstrap interval of value, 0..1 or -1..1
--   high: upper end of the 95 % bootstrap interval of value, 0..1 or -1..1
--   difference: value less that of all other rows, -1..1 (-2..2 for calibration_gap)
--   difference_low: lower end of the 95 % bootstrap interval of difference, -1..1
--   difference_high: upper end of the 95 % bootstrap interval of difference, -1..1
--   n_rows: held-out rows that value is a share of, count
--   note: why there is no number; empty where there is one
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
