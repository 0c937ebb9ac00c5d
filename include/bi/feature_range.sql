-- Grain: one row per problem, model version and feature that the model reads.
-- Reads: core.feature_range.
-- Units: those of the column; middle is the median or the most frequent category, on held-out rows.
-- Columns:
--   problem: name of the problem file
--   model_version: version that reads the feature
--   feature: column of the problem
--   kind: number, category or text
--   low: smallest held-out value of a number, in the column's unit; missing for others
--   high: largest held-out value of a number, in the column's unit; missing for others
--   middle: median in the column's unit, or the most frequent category; empty for text
--   options: categories that the model knows, the most frequent first
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
