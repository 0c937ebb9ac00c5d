-- Grain: one row per problem, model version and segment (a value or an interval of one column) of held-out rows.
-- Reads: core.weak_segment.
-- Units: loss and excess in nats of log loss a row; low and high are the 95 % interval of the excess; p and q 0..1. is_weak
-- holds the false discovery rate over all segments of a version at 5 %.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was measured
--   feature: column that the segment is cut by
--   segment: its value, or its interval
--   n_rows: held-out rows in the segment, count
--   loss_nats: mean log loss in the segment, nats a row
--   excess_nats: loss_nats less the mean log loss of all other rows, nats a row
--   low: lower end of the 95 % interval of excess_nats, nats a row
--   high: upper end of the 95 % interval of excess_nats, nats a row
--   p_value: chance of this excess or more where there is none, 0..1
--   q_value: p-value corrected for all segments that were looked at, 0..1
--   is_weak: whether the excess holds at a false discovery rate of 5 %
SELECT
    problem,
    model_version,
    feature,
    segment,
    n_rows,
    loss_nats,
    excess_nats,
    low,
    high,
    p_value,
    q_value,
    is_weak
FROM core.weak_segment
