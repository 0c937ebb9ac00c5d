-- Grain: one row per problem and run of upkeep.
-- Reads: core.run_step.
-- Units: n_compacted and n_files are files, n_outlived partitions, n_snapshots snapshots; seconds. A run that failed has
-- none of them, and says why. Times are in UTC.
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
