-- Grain: one row per variant of an experiment, as of its newest window.
-- Reads: core.experiment_variant.
-- Units: rates and lifts 0..1 and -1..1; the bands of one experiment hold together, as surely as its file claims.
-- Counts are those of the pilot. Before it is mature they say "so far": whoever acts on the first band that leaves 0 out
-- is wrong more often than stated, except by low_any_look and high_any_look, which hold at every look together.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   partition_key: newest window of the experiment, as the key of the data's own hour, day or month
--   variant: what may be sent
--   is_control: whether it is what the others are compared with
--   n_units: units exposed in the pilot until the end of the window, count
--   n_mature: units of n_units whose attribution window had elapsed, count
--   n_rewarded: units of n_mature that were rewarded inside their window, count
--   rate_ratio: share of mature units that were rewarded, 0..1
--   rate_low: lower end of the 95 % interval of rate_ratio, 0..1
--   rate_high: upper end of the 95 % interval of rate_ratio, 0..1
--   lift_ratio: rate less that of the control, -1..1; missing of the control
--   shrunk_lift_ratio: lift_ratio without the luck of the best, -1..1: what to expect
--   low: lower end of the band of lift_ratio; all bands hold together as surely as the file claims, -1..1
--   high: upper end of the band of lift_ratio; all bands hold together as surely as the file claims, -1..1
--   p_value: two-sided, times the number of comparisons, 0..1
--   verdict: control, better, worse or unclear
--   best_probability: posterior probability that its rate is the highest, 0..1
--   expected_loss: expected loss a unit against the best: rewards, or money where priced
--   is_sent: whether the rest gets it
--   low_any_look: lower end of the band of lift_ratio that holds at every look together, -1..1
--   high_any_look: upper end of the band of lift_ratio that holds at every look together, -1..1
WITH newest AS (
    SELECT
        problem,
        experiment,
        MAX(partition_key) AS partition_key
    FROM core.experiment_variant
    GROUP BY
        problem,
        experiment
)
SELECT
    v.problem,
    v.experiment,
    v.partition_key,
    v.variant,
    v.verdict = 'control' AS is_control,
    v.n_units,
    v.n_mature,
    v.n_rewarded,
    v.rate_ratio,
    v.rate_low,
    v.rate_high,
    v.lift_ratio,
    v.shrunk_lift_ratio,
    v.low,
    v.high,
    v.p_value,
    v.verdict,
    v.best_probability,
    v.expected_loss,
    v.is_sent,
    v.low_any_look,
    v.high_any_look
FROM core.experiment_variant AS v
INNER JOIN newest
    ON newest.problem = v.problem
    AND newest.experiment = v.experiment
    AND newest.partition_key = v.partition_key
