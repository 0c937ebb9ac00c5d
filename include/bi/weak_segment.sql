-- Grain: one row per problem, model version and segment (a value or an interval of one column) of held-out rows.
-- Reads: core.weak_segment.
-- Units: loss and excess in nats of log loss a row; low and high are the 95 % interval of the excess; p and q 0..1. is_weak
-- holds the false discovery rate over all segments of a version at 5 %.
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
