-- Grain: one row per problem, month and model version that has labels.
-- Reads: core.calibration_summary, bi.calibration_bin.
-- Units: probabilities and ratios 0..1; log loss in nats. Figures are those of all labelled rows of the month together;
-- only auc_ratio compares rows of the same partition alone (for months as partitions that is every pair).
-- Desk problems: only labels of items that chance chose, with the probability announced before the answer.
-- Columns:
--   problem: name of the problem file
--   month: the data's own month, YYYY-MM
--   report_date: first day of the month
--   model_version: model that scored the month's partitions
--   n_rows: scored rows of the month's partitions that have labels, count
--   n_labelled: scored rows with a known label, count
--   n_positive: labelled rows that are positive, count
--   mean_predicted_ratio: mean predicted probability over labelled rows, 0..1
--   observed_ratio: share of labelled rows that are positive, 0..1
--   ece_ratio: expected calibration error over 10 bins of equal width, 0..1
--   brier_score: mean squared error of the probability, 0..1
--   log_loss_nats: mean negative log likelihood, nats a row
--   auc_ratio: area under the ROC curve within partitions, weighted by pairs, 0..1
WITH added AS (
    SELECT
        problem,
        LEFT(partition_key, 7) AS month,
        model_version,
        SUM(n_rows) AS n_rows,
        SUM(n_labelled) AS n_labelled,
        SUM(n_positive) AS n_positive,
        SUM(n_labelled * mean_predicted_ratio) / SUM(n_labelled) AS mean_predicted_ratio,
        SUM(n_labelled * brier_score) / SUM(n_labelled) AS brier_score,
        SUM(n_labelled * log_loss_nats) / SUM(n_labelled) AS log_loss_nats,
        SUM(auc_ratio * n_positive * (n_labelled - n_positive))
            / NULLIF(SUM(n_positive::DOUBLE PRECISION * (n_labelled - n_positive)), 0) AS auc_ratio
    FROM core.calibration_summary
    WHERE n_labelled > 0
    GROUP BY
        problem,
        LEFT(partition_key, 7),
        model_version
),
gaps AS (
    SELECT
        problem,
        month,
        model_version,
        SUM(n_rows * ABS(mean_predicted_ratio - observed_ratio)) / SUM(n_rows) AS ece_ratio
    FROM bi.calibration_bin
    GROUP BY
        problem,
        month,
        model_version
)
SELECT
    added.problem,
    added.month,
    TO_DATE(added.month, 'YYYY-MM') AS report_date,
    added.model_version,
    added.n_rows,
    added.n_labelled,
    added.n_positive,
    added.mean_predicted_ratio,
    added.n_positive::DOUBLE PRECISION / added.n_labelled AS observed_ratio,
    gaps.ece_ratio,
    added.brier_score,
    added.log_loss_nats,
    added.auc_ratio
FROM added
INNER JOIN gaps
    ON gaps.problem = added.problem
    AND gaps.month = added.month
    AND gaps.model_version = added.model_version
