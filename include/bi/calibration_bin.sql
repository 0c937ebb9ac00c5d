-- Grain: one row per problem, month, model version and reliability bin of equal width; empty bins have no row.
-- Reads: core.calibration_bin (bins of the month's partitions added up).
-- Units: probabilities 0..1; low and high are the 95 % Wilson interval of observed_ratio.
-- Desk problems: only labels of items that chance chose, with the probability announced before the answer.
-- Columns:
--   problem: name of the problem file
--   month: the data's own month, YYYY-MM
--   report_date: first day of the month
--   model_version: model that scored the partition
--   bin_index: bin of equal width, from 0
--   bin_low: lower edge of the bin, probability 0..1
--   bin_high: upper edge of the bin, probability 0..1
--   n_rows: labelled rows of the month in the bin, count
--   n_positive: rows of n_rows that are positive, count
--   mean_predicted_ratio: mean predicted probability in the bin, 0..1
--   observed_ratio: share of n_rows that are positive, 0..1
--   low: lower end of the 95 % Wilson interval of observed_ratio, 0..1
--   high: upper end of the 95 % Wilson interval of observed_ratio, 0..1
WITH added AS (
    SELECT
        problem,
        LEFT(partition_key, 7) AS month,
        model_version,
        bin_index,
        MIN(bin_low) AS bin_low,
        MAX(bin_high) AS bin_high,
        SUM(n_rows) AS n_rows,
        SUM(n_positive) AS n_positive,
        SUM(n_rows * mean_predicted_ratio) / NULLIF(SUM(n_rows), 0) AS mean_predicted_ratio,
        SUM(n_positive)::DOUBLE PRECISION / NULLIF(SUM(n_rows), 0) AS observed_ratio
    FROM core.calibration_bin
    GROUP BY
        problem,
        LEFT(partition_key, 7),
        model_version,
        bin_index
    HAVING SUM(n_rows) > 0
),
wilson AS (
    SELECT
        added.*,
        1.959963984540054::DOUBLE PRECISION ^ 2 / n_rows AS z2_per_row
    FROM added
)
SELECT
    problem,
    month,
    TO_DATE(month, 'YYYY-MM') AS report_date,
    model_version,
    bin_index,
    bin_low,
    bin_high,
    n_rows,
    n_positive,
    mean_predicted_ratio,
    observed_ratio,
    (
        observed_ratio + z2_per_row / 2
        - SQRT(z2_per_row * (observed_ratio * (1 - observed_ratio) + z2_per_row / 4))
    ) / (1 + z2_per_row) AS low,
    (
        observed_ratio + z2_per_row / 2
        + SQRT(z2_per_row * (observed_ratio * (1 - observed_ratio) + z2_per_row / 4))
    ) / (1 + z2_per_row) AS high
FROM wilson
