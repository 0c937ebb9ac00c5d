-- Grain: one row per check of an experiment, as of its newest window.
-- Reads: core.experiment_check.
-- Units: as each check says; verdict is pass, warn (passed, but people look at it) or hold.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   partition_key: newest window of the experiment, as the key of the data's own hour, day or month
--   check_name: sample_ratio, exclusions, maturity, minimum_units, minimum_rewards or guardrail_<metric>
--   verdict: pass, warn (passed, but people look at it) or hold
--   value: what was seen, in the unit that detail names
--   bound: what was allowed, in the unit that detail names
--   detail: the check in one sentence, with its numbers
--   advice: what to look at or do; empty where nothing is needed
WITH newest AS (
    SELECT
        problem,
        experiment,
        MAX(partition_key) AS partition_key
    FROM core.experiment_check
    GROUP BY
        problem,
        experiment
)
SELECT
    c.problem,
    c.experiment,
    c.partition_key,
    c.check_name,
    CASE
        WHEN NOT c.is_pass THEN 'hold'
        WHEN c.advice <> '' THEN 'warn'
        ELSE 'pass'
    END AS verdict,
    c.value,
    c.bound,
    c.detail,
    c.advice
FROM core.experiment_check AS c
INNER JOIN newest
    ON newest.problem = c.problem
    AND newest.experiment = c.experiment
    AND newest.partition_key = c.partition_key
