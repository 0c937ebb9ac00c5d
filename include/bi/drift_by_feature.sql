-- Grain: one row per problem, partition and feature; p_positive is the model's own output.
-- Reads: core.feature_drift.
-- Units: psi_ratio from 0 (no change) up, js_ratio 0..1, missing shares 0..1. psi_chance_ratio is what sampling alone
-- exceeds once in a thousand comparisons of this size; verdict is moved only above it and above the threshold,
-- and too_few_rows where the partition is smaller than the problem asks for. unseen_ratio is the share of values outside
-- the reference's range, or that it never had; psi_rest_ratio the index of the values that few rows share, among
-- themselves. Both have a mark of chance, too, and are missing where they were measured before they existed.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   feature: column; p_positive or said: for what the model says
--   reference: partitions compared against, first..last; for p_positive, those that the same model scored
--   n_rows: rows of the partition that were compared, count
--   n_reference: rows in the reference, count
--   psi_ratio: population stability index over the reference's bins, no unit, from 0 (no change) up
--   psi_chance_ratio: psi_ratio that sampling alone exceeds once in a thousand comparisons of this size, no unit,
--     from 0 up
--   js_ratio: Jensen-Shannon distance (base 2), 0..1
--   missing_ratio: share of missing values, 0..1
--   reference_missing_ratio: share of missing values in the reference, 0..1
--   verdict: stable, moved (above the problem's threshold and above chance) or too_few_rows
--   unseen_ratio: share of values outside the range of the reference, or that it never had, 0..1; missing where it
--     was measured before it existed
--   unseen_chance_ratio: unseen_ratio that sampling alone exceeds once in a thousand comparisons of this size, 0..1
--   psi_rest_ratio: stability index of the values without a bin of their own, among themselves, no unit, from 0 up;
--     missing where it was measured before it existed
--   psi_rest_chance_ratio: psi_rest_ratio that sampling alone exceeds once in a thousand comparisons of this size,
--     no unit, from 0 up
--   hellinger_ratio: Hellinger distance over the reference's bins, 0..1: 0 no change, 1 nothing in common
--   linf_ratio: change of share of the bin that moved most (L-infinity), 0..1
--   ks_ratio: largest gap of the cumulated shares at the places where bins end (Kolmogorov, Smirnov), 0..1;
--     missing of a category
--   ks_high_ratio: largest gap that there may be anywhere, 0..1; ks_ratio where each number has a bin of its own
--   wasserstein: how far a row moved on average (Wasserstein), in the unit of the column, seconds of a time; missing of
--     a category
--   wasserstein_error: the true one is at most so far away, in the unit of the column; 0 where each number has a bin of
--     its own
--   cramers_v_ratio: effect size of the chi-square test over the bins, for sides of equal size (Cramér's V), 0..1
--   chi_square_p_value: chance of bins so far apart where nothing has moved, 0..1; it informs, and decides nothing
--   chi_square_q_value: the same, corrected for the columns that were compared together in the partition (Benjamini,
--     Hochberg), 0..1
SELECT
    problem,
    partition_key,
    feature,
    reference,
    n_rows,
    n_reference,
    psi_ratio,
    psi_chance_ratio,
    js_ratio,
    missing_ratio,
    reference_missing_ratio,
    verdict,
    unseen_ratio,
    unseen_chance_ratio,
    psi_rest_ratio,
    psi_rest_chance_ratio,
    hellinger_ratio,
    linf_ratio,
    ks_ratio,
    ks_high_ratio,
    wasserstein,
    wasserstein_error,
    cramers_v_ratio,
    chi_square_p_value,
    chi_square_q_value
FROM core.feature_drift
