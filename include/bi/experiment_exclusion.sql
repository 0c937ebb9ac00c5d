-- Grain: one row per experiment, reason, variant and day of what its newest window left out.
-- Reads: core.experiment_exclusion, core.experiment_decision.
-- Units: n_rows counts units, or for a reward or record without a unit, log rows.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   partition_key: newest window of the experiment, as the key of the data's own hour, day or month
--   reason: why it cannot be counted
--   variant: variant as the log writes it, known or not; empty where the row names none
--   seen_on: UTC day of the exposure, of the reward or of the record
--   n_rows: units left out until the end of this window, or for a reward or record without a unit log rows, count
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
    x.problem,
    x.experiment,
    x.partition_key,
    x.reason,
    x.variant,
    x.seen_on,
    x.n_rows
FROM core.experiment_exclusion AS x
INNER JOIN newest
    ON newest.problem = x.problem
    AND newest.experiment = x.experiment
    AND newest.partition_key = x.partition_key
