-- Grain: one row per problem, model version, feature and value that it was set to in every row.
-- Reads: core.partial_dependence.
-- Units: p_positive is a mean probability, 0..1; low and high are its 95 % bootstrap interval over n_rows rows.
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
