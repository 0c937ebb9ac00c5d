-- Grain: one row per problem, partition and feature; p_positive is the model's own output.
-- Reads: core.feature_drift.
-- Units: psi_ratio from 0 (no change) up, js_ratio 0..1, missing shares 0..1. psi_chance_ratio is what sampling alone
-- exceeds once in a thousand comparisons of this size; verdict is moved only above it and above the threshold,
-- and too_few_rows where the partition is smaller than the problem asks for.
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
    verdict
FROM core.feature_drift
