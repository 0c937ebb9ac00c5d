-- Grain: one row per problem, model version and feature that the model reads.
-- Reads: core.feature_range.
-- Units: those of the column; middle is the median or the most frequent category, on held-out rows.
SELECT
    problem,
    model_version,
    feature,
    kind,
    low,
    high,
    middle,
    options
FROM core.feature_range
