-- Grain: one row per problem, model version, method and feature (a column, or a word of the text).
-- Reads: core.feature_importance, core.model_version.
-- Units: permutation and ablation in nats of log loss a row, mutual_information in nats, contribution in log-odds, l1_path
-- 0..1 (1 enters a linear model first). rank 1 matters most. low and high are 95 % intervals.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was asked
--   status: candidate; promoted or rejected by the gate or a person; awaiting_approval; rolled_back
--   method: permutation, ablation, mutual_information, l1_path or contribution
--   feature: column of the problem, or a word of its text
--   rank: place by this method, no unit, 1 matters most; equal values share the mean of their places
--   value: permutation, ablation: log loss that is lost, nats a row; mutual_information: nats; contribution: mean
--     size, log-odds; l1_path: penalty at which it enters, 0..1
--   low: lower end of the 95 % interval of value, in its unit; missing for l1_path
--   high: upper end of the 95 % interval of value, in its unit; missing for l1_path
--   n_rows: rows it was measured on, count
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
