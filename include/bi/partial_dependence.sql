-- Grain: one row per problem, model version, feature and value that it was set to in every row.
-- Reads: core.partial_dependence.
-- Units: p_positive is a mean probability, 0..1; low and high are its 95 % interval over n_rows rows.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was asked
--   feature: column that was set
--   position: place of value on the feature's curve, from 0
--   value: what the feature was set to in every row, in the column's unit
--   p_positive: mean probability of the positive class, 0..1
--   low: lower end of the 95 % interval of p_positive, 0..1
--   high: upper end of the 95 % interval of p_positive, 0..1
--   n_rows: rows that were asked, count
SELECT
    problem,
    model_version,
    feature,
    position,
    value,
    p_positive,
    low,
    high,
    n_rows
FROM core.partial_dependence
