-- Grain: one row per problem and run of upkeep.
-- Reads: core.run_step.
-- Units: n_compacted and n_files are files, n_outlived partitions, n_snapshots snapshots; seconds. A run that failed has
-- none of them, and says why. Times are in UTC.
-- Columns:
--   problem: name of the problem file
--   started_at_utc: when the step started, UTC
--   status: done or failed
--   n_compacted: files that were put together, count
--   n_outlived: partitions that outlived their keeping time and were removed, count
--   n_snapshots: snapshots that were removed, count
--   n_files: files without an owner that were removed, count
--   error: why the run failed; missing where it did not
--   duration_s: wall time of the run itself, seconds, without Airflow's share
--   run_id: Airflow run, or by-hand
SELECT
    problem,
    started_at_utc,
    status,
    CAST(outcome ->> 'n_compacted' AS INTEGER) AS n_compacted,
    CAST(outcome ->> 'n_outlived' AS INTEGER) AS n_outlived,
    CAST(outcome ->> 'n_snapshots' AS INTEGER) AS n_snapshots,
    CAST(outcome ->> 'n_files' AS INTEGER) AS n_files,
    outcome ->> 'error' AS error,
    duration_s,
    run_id
FROM core.run_step
WHERE step = 'keep_up'
