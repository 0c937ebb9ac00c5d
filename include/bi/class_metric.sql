-- Grain: one row per problem, model version, candidate and class.
-- Reads: core.class_metric.
-- Units: log_loss_nats in nats, of the class against the rest; the other figures are shares, 0..1. low and high are 95 %
-- intervals. n_rows are held-out rows of the class; precision, recall and auc are missing where they have no answer.
-- Columns:
--   problem: name of the problem file
--   model_version: version whose training measured it
--   candidate: dummy, the uncalibrated or the calibrated model, another candidate, or the champion
--   class_name: class or label, each against all others
--   n_rows: held-out rows of the class, count
--   auc_ratio: area under the ROC curve of the class against the rest, 0..1; missing where it has no answer
--   log_loss_nats: mean log loss of the class against the rest, nats a row
--   log_loss_low: lower end of the 95 % interval of log_loss_nats, nats a row
--   log_loss_high: upper end of the 95 % interval of log_loss_nats, nats a row
--   brier_score: mean squared error of the probability of the class, 0..1
--   ece_ratio: expected calibration error of the class over 10 bins, 0..1
--   precision_ratio: share of the rows taken for the class that are of it, 0..1; missing where none is taken for it
--   precision_low: lower end of the 95 % interval of precision_ratio, 0..1
--   precision_high: upper end of the 95 % interval of precision_ratio, 0..1
--   recall_ratio: share of the rows of the class that are taken for it, 0..1; missing where there is none
--   recall_low: lower end of the 95 % interval of recall_ratio, 0..1
--   recall_high: upper end of the 95 % interval of recall_ratio, 0..1
SELECT
    problem,
    model_version,
    candidate,
    class_name,
    MAX(n_rows) AS n_rows,
    MAX(value) FILTER (WHERE metric = 'auc') AS auc_ratio,
    MAX(value) FILTER (WHERE metric = 'log_loss') AS log_loss_nats,
    MAX(low) FILTER (WHERE metric = 'log_loss') AS log_loss_low,
    MAX(high) FILTER (WHERE metric = 'log_loss') AS log_loss_high,
    MAX(value) FILTER (WHERE metric = 'brier') AS brier_score,
    MAX(value) FILTER (WHERE metric = 'ece') AS ece_ratio,
    MAX(value) FILTER (WHERE metric = 'precision') AS precision_ratio,
    MAX(low) FILTER (WHERE metric = 'precision') AS precision_low,
    MAX(high) FILTER (WHERE metric = 'precision') AS precision_high,
    MAX(value) FILTER (WHERE metric = 'recall') AS recall_ratio,
    MAX(low) FILTER (WHERE metric = 'recall') AS recall_low,
    MAX(high) FILTER (WHERE metric = 'recall') AS recall_high
FROM core.class_metric
GROUP BY
    problem,
    model_version,
    candidate,
    class_name
