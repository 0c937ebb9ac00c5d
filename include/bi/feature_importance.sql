-- Grain: one row per problem, model version, method and feature (a column, or a word of the text).
-- Reads: core.feature_importance, core.model_version.
-- Units: permutation and ablation in nats of log loss a row, mutual_information in nats, contribution in log-odds, l1_path
-- 0..1 (1 enters a linear model first). rank 1 matters most. low and high are 95 % bootstrap intervals.
SELECT
    importance.problem,
    importance.model_version,
    version.status,
    importance.method,
    importance.feature,
    importance.rank,
    importance.value,
    importance.low,
    importance.high,
    importance.n_rows
FROM core.feature_importance AS importance
LEFT JOIN core.model_version AS version
    ON version.problem = importance.problem
    AND version.model_version = importance.model_version
