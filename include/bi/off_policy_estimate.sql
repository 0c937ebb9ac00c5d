-- Grain: one row per problem, experiment, policy and estimator, as of the newest window.
-- Reads: core.off_policy_estimate.
-- Units: value, low and high are reward rates, 0..1, with a 95 % interval. n_effective_ratio says how much of the log
-- speaks about the policy, 0..1. is_supported is false where fewer than 100 effective units do, or where the weights
-- show that the propensities are not true: then nobody should act on the estimate.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   policy: what is evaluated: a variant sent to everybody, uniform (all alike) or as_logged
--   estimator: ips, snips, dm, dr or switch_dr
--   partition_key: newest window of the experiment, as the key of the data's own hour, day or month
--   value: reward rate under the policy, 0..1; missing where the log never did what it does
--   low: lower end of the 95 % interval of value, 0..1
--   high: upper end of the 95 % interval of value, 0..1
--   n_units: mature units with a propensity, count
--   n_left_out: mature units without a propensity above 0 and at most 1; counted, never used, count
--   n_effective_units: units that would know as much if drawn by the policy, 0..n_units
--   n_effective_ratio: n_effective_units of n_units, 0..1: how much of the log speaks about the policy
--   largest_weight: how many times as often as the log the policy sends what a unit got, at most, factor
--   mean_weight: mean of that factor over all units; near 1 where the propensities are true
--   is_supported: whether 100 effective units or more speak about it and the weights allow the propensities to be
--     true
SELECT
    estimate.problem,
    estimate.experiment,
    estimate.policy,
    estimate.estimator,
    estimate.partition_key,
    estimate.value,
    estimate.low,
    estimate.high,
    estimate.n_units,
    estimate.n_left_out,
    estimate.n_effective_units,
    estimate.n_effective_units / estimate.n_units AS n_effective_ratio,
    estimate.largest_weight,
    estimate.mean_weight,
    estimate.n_effective_units >= 100
    AND 1 BETWEEN estimate.low_mean_weight AND estimate.high_mean_weight AS is_supported
FROM core.off_policy_estimate AS estimate
