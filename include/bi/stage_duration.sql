-- Grain: one row per problem, stage and step.
-- Reads: core.run_step.
-- Units: seconds of the steps themselves, without Airflow's share; n_rows is missing where no run says how many it handled.
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
