-- Grain: one row per problem and reason for which rows are in quarantine now.
-- Reads: core.rejected_record.
-- Units: rows; partitions. Times are keys of the data's own hour, day or month. example names object and line of the
-- first such row; the rows themselves, masked, lie in the lake's quarantine table.
-- Columns:
--   problem: name of the problem file
--   reason: why rows are in quarantine
--   n_rows: rows in quarantine now for this reason, count
--   n_partitions: partitions that have such rows, count
--   first_partition_key: first partition that has such rows
--   last_partition_key: last partition that has such rows
--   example: object and line of the first such row
SELECT
    problem,
    reason,
    SUM(n_rows) AS n_rows,
    COUNT(*) AS n_partitions,
    MIN(partition_key) AS first_partition_key,
    MAX(partition_key) AS last_partition_key,
    (ARRAY_AGG(example ORDER BY partition_key))[1] AS example
FROM core.rejected_record
GROUP BY
    problem,
    reason
