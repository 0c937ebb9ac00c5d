-- Grain: one row per problem, stage and step.
-- Reads: core.run_step.
-- Units: seconds of the steps themselves, without Airflow's share; n_rows is missing where no run says how many it handled.
-- Columns:
--   problem: name of the problem file
--   stage: stage of the waterway
--   step: function that ran
--   n_runs: runs of the step, count
--   n_failed: runs of n_runs that failed, count
--   n_rows: rows that all runs handled together, count; missing where no run says how many
--   total_s: time of all runs together, seconds, without Airflow's share
--   median_s: median time of a run, seconds
--   longest_s: longest time of a run, seconds
SELECT
    problem,
    stage,
    step,
    COUNT(*) AS n_runs,
    COUNT(*) FILTER (WHERE status = 'failed') AS n_failed,
    SUM(n_rows) AS n_rows,
    SUM(duration_s) AS total_s,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY duration_s) AS median_s,
    MAX(duration_s) AS longest_s
FROM core.run_step
GROUP BY
    problem,
    stage,
    step
