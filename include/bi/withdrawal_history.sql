-- Grain: one row per problem, withdrawn object, partition that it fed, and run that withdrew it.
-- Reads: core.withdrawal.
-- Units: rows are records of landing. left_at_utc is when the partition was ingested without them, missing until then;
-- restored_at_utc is when they were let in again, missing while they are withdrawn. same_bytes_as names the object that
-- was asked for, where this one only has the same bytes. Times are in UTC.
-- Columns:
--   problem: name of the problem file
--   object_key: path of the withdrawn object below the landing URL
--   partition_key: key of the data's own hour, day or month
--   n_rows: records of the object in this partition, count
--   withdrawn_at_utc: from when on ingest leaves it out, UTC
--   actor: who withdrew it
--   reason: why it was withdrawn, in one sentence
--   same_bytes_as: object that was named, where this one only has the same bytes; else missing
--   left_at_utc: when the partition was ingested without it, UTC; missing until then
--   restored_at_utc: when it was let in again, UTC; missing while it is withdrawn
--   restored_by: who let it in again; missing while it is withdrawn
--   restored_reason: why it was let in again, in one sentence; missing while it is withdrawn
--   is_withdrawn: whether it is withdrawn now
--   run_id: Airflow run, or by-hand
SELECT
    problem,
    object_key,
    partition_key,
    n_rows,
    withdrawn_at_utc,
    actor,
    reason,
    same_bytes_as,
    left_at_utc,
    restored_at_utc,
    restored_by,
    restored_reason,
    restored_at_utc IS NULL AS is_withdrawn,
    run_id
FROM core.withdrawal
