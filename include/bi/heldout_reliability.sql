-- Grain: one row per problem, model version and reliability bin of equal width; empty bins have no row.
-- Reads: core.heldout_bin.
-- Units: probabilities 0..1; low and high are the 95 % Wilson interval of observed_ratio. Rows held out from the version.
WITH shares AS (
    SELECT
        bin.*,
        n_positive::DOUBLE PRECISION / n_rows AS observed_ratio,
        1.959963984540054::DOUBLE PRECISION ^ 2 / n_rows AS z2_per_row
    FROM core.heldout_bin AS bin
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
