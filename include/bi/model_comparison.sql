-- Grain: one row per problem, model version and candidate (dummy, the rule, the models, the champion).
-- Reads: core.model_metric, core.model_version, core.problem.
-- Units: auc and ece 0..1, Brier score 0..1, log loss in nats, expected profit per row in value_unit (missing until the
-- problem has been monitored once). *_low and *_high are 95 % bootstrap intervals. All on the same held-out
-- rows, but the champion, which answers only for those of them that it was not fitted on (n_rows).
WITH wide AS (
    SELECT
        problem,
        model_version,
        candidate,
        MAX(n_rows) AS n_rows,
        MAX(value) FILTER (WHERE metric = 'auc') AS auc_ratio,
        MAX(low) FILTER (WHERE metric = 'auc') AS auc_low,
        MAX(high) FILTER (WHERE metric = 'auc') AS auc_high,
        MAX(value) FILTER (WHERE metric = 'log_loss') AS log_loss_nats,
        MAX(low) FILTER (WHERE metric = 'log_loss') AS log_loss_low,
        MAX(high) FILTER (WHERE metric = 'log_loss') AS log_loss_high,
        MAX(value) FILTER (WHERE metric = 'brier') AS brier_score,
        MAX(low) FILTER (WHERE metric = 'brier') AS brier_low,
        MAX(high) FILTER (WHERE metric = 'brier') AS brier_high,
        MAX(value) FILTER (WHERE metric = 'ece') AS ece_ratio,
        MAX(low) FILTER (WHERE metric = 'ece') AS ece_low,
        MAX(high) FILTER (WHERE metric = 'ece') AS ece_high,
        MAX(value) FILTER (WHERE metric = 'expected_profit') AS expected_profit,
        MAX(low) FILTER (WHERE metric = 'expected_profit') AS expected_profit_low,
        MAX(high) FILTER (WHERE metric = 'expected_profit') AS expected_profit_high
    FROM core.model_metric
    GROUP BY
        problem,
        model_version,
        candidate
)
SELECT
    wide.problem,
    wide.model_version,
    version.status,
    version.trained_through,
    wide.candidate,
    wide.n_rows,
    wide.auc_ratio,
    wide.auc_low,
    wide.auc_high,
    wide.log_loss_nats,
    wide.log_loss_low,
    wide.log_loss_high,
    wide.brier_score,
    wide.brier_low,
    wide.brier_high,
    wide.ece_ratio,
    wide.ece_low,
    wide.ece_high,
    wide.expected_profit,
    wide.expected_profit_low,
    wide.expected_profit_high,
    problem.value_unit
FROM wide
LEFT JOIN core.model_version AS version
    ON version.problem = wide.problem
    AND version.model_version = wide.model_version
LEFT JOIN core.problem AS problem
    ON problem.problem = wide.problem
