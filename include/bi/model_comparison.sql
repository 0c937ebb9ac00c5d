-- Grain: one row per problem, model version and candidate (dummy, the rule, the models, the champion).
-- Reads: core.model_metric, core.model_version, core.problem.
-- Units: auc and ece 0..1, Brier score 0..1, log loss in nats; of a quantity mae, rmse and mean_width in the label's unit
-- and coverage_ratio 0..1; expected profit per row in value_unit (missing until the problem has been monitored once).
-- *_low and *_high are 95 % bootstrap intervals. All on the same held-out rows, but the champion, which answers only for
-- those of them that it was not fitted on (n_rows). With training.refit: all the chosen candidate answers after a fit on
-- all rows before the held-out ones, the other candidates after one on the earliest partitions alone.
-- Columns:
--   problem: name of the problem file
--   model_version: version whose training measured it
--   status: candidate; promoted or rejected by the gate or a person; awaiting_approval; rolled_back
--   trained_through: last data partition whose rows it has seen
--   candidate: dummy, the rule's name, the uncalibrated or the calibrated model, or the champion
--   n_rows: held-out rows the candidate was measured on, count
--   auc_ratio: area under the ROC curve, 0..1
--   auc_low: lower end of the 95 % bootstrap interval of auc_ratio, 0..1
--   auc_high: upper end of the 95 % bootstrap interval of auc_ratio, 0..1
--   log_loss_nats: mean log loss, nats a row
--   log_loss_low: lower end of the 95 % bootstrap interval of log_loss_nats, nats a row
--   log_loss_high: upper end of the 95 % bootstrap interval of log_loss_nats, nats a row
--   brier_score: mean squared error of the probability, 0..1
--   brier_low: lower end of the 95 % bootstrap interval of brier_score, 0..1
--   brier_high: upper end of the 95 % bootstrap interval of brier_score, 0..1
--   ece_ratio: expected calibration error over 10 bins of equal width, 0..1
--   ece_low: lower end of the 95 % bootstrap interval of ece_ratio, 0..1
--   ece_high: upper end of the 95 % bootstrap interval of ece_ratio, 0..1
--   mae: mean absolute miss of a quantity, in the label's unit; missing for classes
--   mae_low: lower end of the 95 % bootstrap interval of mae, in the label's unit
--   mae_high: upper end of the 95 % bootstrap interval of mae, in the label's unit
--   rmse: root of the mean squared miss of a quantity, in the label's unit; missing for classes
--   rmse_low: lower end of the 95 % bootstrap interval of rmse, in the label's unit
--   rmse_high: upper end of the 95 % bootstrap interval of rmse, in the label's unit
--   coverage_ratio: share of rows whose number lies in its interval, 0..1; missing for classes
--   coverage_low: lower end of the 95 % bootstrap interval of coverage_ratio, 0..1
--   coverage_high: upper end of the 95 % bootstrap interval of coverage_ratio, 0..1
--   mean_width: mean width of a quantity's interval, in the label's unit; missing for classes
--   expected_profit: expected profit a row, in value_unit
--   expected_profit_low: lower end of the 95 % bootstrap interval of expected_profit, a row in value_unit
--   expected_profit_high: upper end of the 95 % bootstrap interval of expected_profit, a row in value_unit
--   value_unit: unit of every expected profit, as EUR or minutes; missing without a value section
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
        MAX(value) FILTER (WHERE metric = 'mae') AS mae,
        MAX(low) FILTER (WHERE metric = 'mae') AS mae_low,
        MAX(high) FILTER (WHERE metric = 'mae') AS mae_high,
        MAX(value) FILTER (WHERE metric = 'rmse') AS rmse,
        MAX(low) FILTER (WHERE metric = 'rmse') AS rmse_low,
        MAX(high) FILTER (WHERE metric = 'rmse') AS rmse_high,
        MAX(value) FILTER (WHERE metric = 'coverage') AS coverage_ratio,
        MAX(low) FILTER (WHERE metric = 'coverage') AS coverage_low,
        MAX(high) FILTER (WHERE metric = 'coverage') AS coverage_high,
        MAX(value) FILTER (WHERE metric = 'width') AS mean_width,
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
    wide.mae,
    wide.mae_low,
    wide.mae_high,
    wide.rmse,
    wide.rmse_low,
    wide.rmse_high,
    wide.coverage_ratio,
    wide.coverage_low,
    wide.coverage_high,
    wide.mean_width,
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
