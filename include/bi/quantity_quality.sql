-- Grain: one row per problem, partition and model version of a quantity.
-- Reads: core.quantity_quality, core.problem.
-- Units: mae, rmse, bias, pinball and mean_width in unit; shares 0..1, with Wilson's 95 % interval; profit a row in
-- value_unit, and profit_gain is what planning with the model earned more than planning by hour and weekday. Figures are
-- missing while no number is known.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   month: the data's own month, YYYY-MM
--   model_version: model that scored the partition
--   unit: unit of the label, and of every figure without a unit of its own
--   n_rows: scored rows, count
--   n_labelled: scored rows whose number is known, count
--   mae: mean absolute miss of the prediction, in unit
--   rmse: root of the mean squared miss, in unit
--   bias: mean of predicted less actual, in unit; above 0 it says too much
--   pinball: mean pinball loss of both ends of the interval, in unit
--   stated_ratio: share of rows that the interval shall hold, 0..1
--   coverage_ratio: share of rows whose number lies in its interval, 0..1
--   coverage_low: lower end of the 95 % Wilson interval of coverage_ratio, 0..1
--   coverage_high: upper end of the 95 % Wilson interval of coverage_ratio, 0..1
--   n_below: rows whose number lies below its interval, count
--   n_above: rows whose number lies above its interval, count
--   mean_width: mean width of the interval, in unit
--   profit: mean a row of what planning with it earned, in value_unit, at most 0
--   profit_before: the same of planning by hour and weekday without a model, in value_unit a row
--   profit_gain: profit less profit_before, a row, in value_unit
--   value_unit: unit of every expected profit, as EUR or minutes; missing without a value section
--   measured_at_utc: when it was measured, UTC
SELECT
    quality.problem,
    quality.partition_key,
    LEFT(quality.partition_key, 7) AS month,
    quality.model_version,
    quality.unit,
    quality.n_rows,
    quality.n_labelled,
    quality.mae,
    quality.rmse,
    quality.bias,
    quality.pinball,
    quality.stated_ratio,
    quality.coverage_ratio,
    quality.coverage_low,
    quality.coverage_high,
    quality.n_below,
    quality.n_above,
    quality.mean_width,
    quality.profit,
    quality.profit_before,
    quality.profit - quality.profit_before AS profit_gain,
    problem.value_unit,
    quality.measured_at_utc
FROM core.quantity_quality AS quality
LEFT JOIN core.problem AS problem
    ON problem.problem = quality.problem
