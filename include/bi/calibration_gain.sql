-- Grain: one row per problem and scored partition with known labels.
-- Reads: core.calibration_gain, core.model_version.
-- Units: calibration error 0..1 (10 bins), log loss in nats; *_gain is how much less with calibration than without, so
-- that below 0 calibration did harm.
SELECT
    gain.problem,
    gain.partition_key,
    gain.model_version,
    version.model_name,
    version.calibration,
    gain.n_rows,
    gain.ece_ratio,
    gain.ece_uncalibrated_ratio,
    gain.ece_uncalibrated_ratio - gain.ece_ratio AS ece_gain_ratio,
    gain.log_loss_nats,
    gain.log_loss_uncalibrated_nats,
    gain.log_loss_uncalibrated_nats - gain.log_loss_nats AS log_loss_gain_nats,
    gain.ece_ratio < gain.ece_uncalibrated_ratio AS is_better_calibrated
FROM core.calibration_gain AS gain
INNER JOIN core.model_version AS version
    ON version.problem = gain.problem
    AND version.model_version = gain.model_version
