-- Grain: one row per problem, partition, model version and point of its calibration curve.
-- Reads: core.calibration_curve.
-- Units: probabilities 0..1. recalibrated_ratio is the share that happens where predicted_ratio is said, by the rising
-- curve that fits best (isotonic regression, CORP); between two points the curve is straight. A faultless model's
-- curve lies between band_low and band_high at a point in 90 of 100 cases.
-- Desk problems: only labels of items that chance chose, with the probability announced before the answer.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   model_version: model that scored the partition
--   point_index: point of the curve, from 0, the lowest prediction first
--   predicted_ratio: predicted probability at the point, 0..1
--   recalibrated_ratio: share that happens there, by the rising curve that fits best, 0..1
--   band_low: lower end of where 90 of 100 curves of a faultless model lie at this point, 0..1
--   band_high: upper end of where 90 of 100 curves of a faultless model lie at this point, 0..1
--   n_rows: labelled rows predicted at the point, or between it and the one before, count
--   n_positive: rows of n_rows that are positive, count
SELECT
    problem,
    partition_key,
    model_version,
    point_index,
    predicted_ratio,
    recalibrated_ratio,
    band_low,
    band_high,
    n_rows,
    n_positive
FROM core.calibration_curve
