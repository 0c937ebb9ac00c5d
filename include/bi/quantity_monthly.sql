-- Grain: one row per problem and month of a quantity, all models of the month together.
-- Reads: core.quantity_quality, core.problem.
-- Units: mae, rmse, bias, pinball and mean_width in unit; shares 0..1, with Wilson's 95 % interval, whose rows hang
-- together within a day, so that it is somewhat too narrow; profit a row and profit_gain of all rows in value_unit:
-- what planning with the model earned more than planning by hour and weekday.
-- Columns:
--   problem: name of the problem file
--   month: the data's own month, YYYY-MM
--   report_date: first day of the month
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
--   profit_gain: what planning with the model earned more than without, all labelled rows together, in value_unit
--   value_unit: unit of every expected profit, as EUR or minutes; missing without a value section
WITH added AS (
    SELECT
        problem,
        LEFT(partition_key, 7) AS month,
        MAX(unit) AS unit,
        SUM(n_rows) AS n_rows,
        SUM(n_labelled) AS n_labelled,
        3.841458820694124 / SUM(n_labelled) AS z2,
        SUM(n_held)::DOUBLE PRECISION / SUM(n_labelled) AS coverage_ratio,
        MAX(stated_ratio) AS stated_ratio,
        SUM(n_below) AS n_below,
        SUM(n_above) AS n_above,
        SUM(n_labelled * mae) / SUM(n_labelled) AS mae,
        SQRT(SUM(n_labelled * rmse * rmse) / SUM(n_labelled)) AS rmse,
        SUM(n_labelled * bias) / SUM(n_labelled) AS bias,
        SUM(n_labelled * pinball) / SUM(n_labelled) AS pinball,
        SUM(n_rows * mean_width) / SUM(n_rows) AS mean_width,
        SUM(n_labelled * profit) / SUM(n_labelled) AS profit,
        SUM(n_labelled * profit_before) / SUM(n_labelled) AS profit_before,
        SUM(n_labelled * (profit - profit_before)) AS profit_gain
    FROM core.quantity_quality
    WHERE n_labelled > 0
    GROUP BY
        problem,
        LEFT(partition_key, 7)
)
SELECT
    added.problem,
    added.month,
    TO_DATE(added.month, 'YYYY-MM') AS report_date,
    added.unit,
    added.n_rows,
    added.n_labelled,
    added.mae,
    added.rmse,
    added.bias,
    added.pinball,
    added.stated_ratio,
    added.coverage_ratio,
    (added.coverage_ratio + added.z2 / 2 - SQRT(added.z2 * (added.coverage_ratio * (1 - added.coverage_ratio) + added.z2 / 4)))
        / (1 + added.z2) AS coverage_low,
    (added.coverage_ratio + added.z2 / 2 + SQRT(added.z2 * (added.coverage_ratio * (1 - added.coverage_ratio) + added.z2 / 4)))
        / (1 + added.z2) AS coverage_high,
    added.n_below,
    added.n_above,
    added.mean_width,
    added.profit,
    added.profit_before,
    added.profit_gain,
    problem.value_unit
FROM added
LEFT JOIN core.problem AS problem
    ON problem.problem = added.problem
