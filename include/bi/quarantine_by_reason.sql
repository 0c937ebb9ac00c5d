-- Grain: one row per problem and reason for which rows are kept apart now.
-- Reads: core.rejected_record.
-- Units: rows; partitions. Times are keys of the data's own hour, day or month. example names object and line of the
-- first such row; the rows themselves, masked, lie in the lake's quarantine table.
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
