-- Grain: one row per metric, role and variant of an experiment, as of its newest window.
-- Reads: core.experiment_metric, core.experiment_decision.
-- Units: mean, lift, their ends and the margin are in the metric's unit; the bands of one metric hold together, as surely
-- as the file claims, and those of several metrics do not. n_unread counts log rows without a number.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   partition_key: newest window of the experiment, as the key of the data's own hour, day or month
--   metric: name of the metric in the file
--   role: primary, secondary or guardrail
--   kind: binary, count, sum or ratio
--   is_lower_better: whether less is better
--   variant: what may be sent
--   is_control: whether it is what the others are compared with
--   n_mature: units of the pilot whose number is known, count
--   n_unread: log rows whose number is missing or none; they count as 0, count
--   mean: mean of the metric of this variant, in the metric's unit
--   mean_low: lower end of the 95 % interval of mean, in the metric's unit
--   mean_high: upper end of the 95 % interval of mean, in the metric's unit
--   lift: mean less that of the control, in the metric's unit; missing of the control
--   low: lower end of the band of lift; a metric's bands hold together as surely as the file claims, in the
--     metric's unit
--   high: upper end of the band of lift; a metric's bands hold together as surely as the file claims, in the
--     metric's unit
--   low_any_look: lower end of the band of lift that holds at every look together, in the metric's unit
--   high_any_look: upper end of the band of lift that holds at every look together, in the metric's unit
--   p_value: two-sided, times the number of comparisons, 0..1
--   verdict: control, better, worse or unclear; better is what the file calls better
--   margin: how much worse a guardrail may be, in the metric's unit; missing of others
--   adjustment: adjusted, or why only the plain lift counts: ratio, unvaried (nobody differed before) or few; missing
--     where the file names no covariate
--   covariate_weight: in the metric's unit, what goes with 1 of the covariate before the exposure
--   adjusted_lift: lift without what was so before (CUPED), in the metric's unit; missing of the control
--   adjusted_low: lower end of the band of adjusted_lift, in the metric's unit
--   adjusted_high: upper end of the band of adjusted_lift, in the metric's unit
WITH newest AS (
    SELECT
        problem,
        experiment,
        MAX(partition_key) AS partition_key
    FROM core.experiment_decision
    GROUP BY
        problem,
        experiment
)
SELECT
    m.problem,
    m.experiment,
    m.partition_key,
    m.metric,
    m.role,
    m.kind,
    m.is_lower_better,
    m.variant,
    m.verdict = 'control' AS is_control,
    m.n_mature,
    m.n_unread,
    m.mean,
    m.mean_low,
    m.mean_high,
    m.lift,
    m.low,
    m.high,
    m.low_any_look,
    m.high_any_look,
    m.p_value,
    m.verdict,
    m.margin,
    m.adjustment,
    m.covariate_weight,
    m.adjusted_lift,
    m.adjusted_low,
    m.adjusted_high
FROM core.experiment_metric AS m
INNER JOIN newest
    ON newest.problem = m.problem
    AND newest.experiment = m.experiment
    AND newest.partition_key = m.partition_key
