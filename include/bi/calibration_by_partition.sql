-- Grain: one row per problem, partition and model version that has labels.
-- Reads: core.calibration_summary.
-- Units: probabilities and ratios 0..1; log loss in nats. error_ratio is the calibration error over bins of equal
-- count with what chance adds taken off, error_high_ratio its upper end with 95 % confidence, relative_error_ratio
-- the error for each share of 1 that is positive: rare events count, too. Slope 1 and intercept 0 are faultless.
-- Figures are missing where they were measured before they existed.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   model_version: model that scored the partition
--   label_arm: log: recorded outcomes; random: answers about items that chance chose
--   n_rows: scored rows whose prediction is kept, count
--   n_labelled: scored rows with a known label, count
--   n_positive: labelled rows that are positive, count
--   observed_ratio: share of labelled rows that are positive, 0..1
--   mean_predicted_ratio: mean predicted probability over labelled rows, 0..1
--   ece_ratio: expected calibration error over 10 bins of equal width, 0..1
--   ece_chance_ratio: calibration error that a faultless model exceeds once in a thousand partitions, 0..1
--   ece_equal_count_ratio: expected calibration error over 10 bins of equal count, 0..1
--   ece_equal_count_chance_ratio: error over bins of equal count that a faultless model exceeds once in a thousand
--     partitions, 0..1
--   error_ratio: root of the mean squared calibration error over bins of equal count, chance taken off, 0..1
--   error_high_ratio: upper end of error_ratio with 95 % confidence, 0..1
--   relative_error_ratio: error_ratio for each share of 1 that is positive, from 0 up; missing where none is
--   calibration_slope: slope of the log-odds of what happens on those predicted, no unit; 1 is faultless, below 1
--     too sure
--   calibration_intercept: intercept of the same line, log-odds; 0 is faultless, below 0 predicts too much
--   brier_score: mean squared error of the probability, 0..1
--   log_loss_nats: mean negative log likelihood, nats a row
--   auc_ratio: area under the ROC curve, 0..1
--   miscalibration_brier: part of brier_score that recalibrating would take off (CORP), 0..1; 0 is faultless
--   discrimination_brier: by how much the recalibrated probabilities beat the base rate alone, 0..1
--   uncertainty_brier: Brier score of the base rate, 0..1; brier_score is miscalibration less discrimination plus
--     uncertainty
--   miscalibration_nats: part of log_loss_nats that recalibrating would take off (CORP), nats a row; 0 is faultless
--   discrimination_nats: by how much the recalibrated probabilities beat the base rate alone, nats a row
--   uncertainty_nats: log loss of the base rate, nats a row; log_loss_nats is miscalibration less discrimination plus
--     uncertainty
--   smooth_ece_ratio: calibration error without bins, smoothed by a kernel as wide as itself (smooth ECE), 0..1;
--     what is below 0.001 is said as 0.001
--   ece_debiased_ratio: ece_equal_count_ratio less what chance adds to it, 0..1
--   mce_ratio: gap between predicted and observed share in the worst of 10 bins of equal count, 0..1
--   spiegelhalter_z: by how many standard deviations the Brier score is above what the probabilities promise, no unit;
--     beyond 2 on either side is rare for a faultless model
--   spiegelhalter_p_value: chance that a faultless model is at least as far away, 0..1
SELECT
    problem,
    partition_key,
    model_version,
    label_arm,
    n_rows,
    n_labelled,
    n_positive,
    positive_ratio AS observed_ratio,
    mean_predicted_ratio,
    ece_ratio,
    ece_chance_ratio,
    ece_equal_count_ratio,
    ece_equal_count_chance_ratio,
    error_ratio,
    error_high_ratio,
    relative_error_ratio,
    calibration_slope,
    calibration_intercept,
    brier_score,
    log_loss_nats,
    auc_ratio,
    miscalibration_brier,
    discrimination_brier,
    uncertainty_brier,
    miscalibration_nats,
    discrimination_nats,
    uncertainty_nats,
    smooth_ece_ratio,
    ece_debiased_ratio,
    mce_ratio,
    spiegelhalter_z,
    spiegelhalter_p_value
FROM core.calibration_summary
WHERE n_labelled > 0
