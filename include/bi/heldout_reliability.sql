-- Grain: one row per problem, model version and reliability bin of equal width; empty bins have no row.
-- Reads: core.heldout_bin.
-- Units: probabilities 0..1; low and high are the 95 % Wilson interval of observed_ratio. Rows held out from the version.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was measured
--   bin_index: reliability bin of equal width, from 0
--   bin_low: lower edge of the bin, probability 0..1
--   bin_high: upper edge of the bin, probability 0..1
--   n_rows: held-out rows in the bin, count
--   n_positive: rows of n_rows that are positive, count
--   mean_predicted_ratio: mean predicted probability in the bin, 0..1
--   observed_ratio: share of n_rows that are positive, 0..1
--   low: lower end of the 95 % Wilson interval of observed_ratio, 0..1
--   high: upper end of the 95 % Wilson interval of observed_ratio, 0..1
WITH shares AS (
    SELECT
        bin.*,
        n_positive::DOUBLE PRECISION / n_rows AS observed_ratio,
        1.959963984540054::DOUBLE PRECISION ^ 2 / n_rows AS z2_per_row
    FROM core.heldout_bin AS bin
    WHERE n_rows > 0
)
SELECT
    problem,
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
FROM shares
