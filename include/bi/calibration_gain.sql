-- Grain: one row per problem and scored partition with known labels.
-- Reads: core.calibration_gain, core.model_version.
-- Units: calibration error 0..1 (10 bins), log loss in nats; *_gain is how much less with calibration than without, so
-- that below 0 calibration did harm.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   model_version: version that scored the partition
--   model_name: candidate that was fitted
--   calibration: map from score to probability that was chosen: none, sigmoid, ...
--   n_rows: rows whose label is known, count
--   ece_ratio: calibration error of what it said over 10 bins, 0..1
--   ece_uncalibrated_ratio: calibration error of its scores before calibration over 10 bins, 0..1
--   ece_gain_ratio: ece_uncalibrated_ratio less ece_ratio, -1..1; below 0 calibration did harm
--   log_loss_nats: mean log loss of what it said, nats a row
--   log_loss_uncalibrated_nats: mean log loss of its scores before calibration, nats a row
--   log_loss_gain_nats: log_loss_uncalibrated_nats less log_loss_nats, nats a row; below 0 calibration did harm
--   is_better_calibrated: whether ece_ratio is below ece_uncalibrated_ratio
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
