-- Grain: one row per problem and partition that has landed or was ingested.
-- Reads: core.landing_partition, core.partition_audit, core.coverage.
-- Units: rows. verdict is the audit's (published, published_with_warnings, refused, withdrawn), or waiting, running or failed
-- while the newest files of the partition are not settled; its counts are then those of the audit before, or 0.
-- n_landed counts the records in landing now, n_in those that ingest has read, or n_landed while it has read none: where
-- n_landed is larger, more came late. Of every audit n_in = n_published + n_quarantined + n_duplicate + n_refused +
-- n_withdrawn: the warehouse stores no other row. n_withdrawn counts records of withdrawn objects, which are not read.
-- n_refused counts what a refusal keeps out, and is 0 elsewhere. n_published is what the newest audit published, 0 where it refused. n_in_lake is
-- what a bare read of the lake's table sees: a refused partition keeps the rows of the publish before, which were
-- audited; trainings and experiments leave them out. A replay moves rows from n_quarantined to n_published or to
-- n_duplicate, and changes nothing where it is refused.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   n_landed: records in landing now, count
--   n_in: records that ingest has read, or n_landed while it has read none, count
--   n_published: rows that the newest audit published; 0 where it refused, count
--   n_quarantined: rows in quarantine, with a reason each, count
--   n_duplicate: rows dropped because their key was there already, count
--   n_refused: rows kept out because the partition was refused as a whole; 0 where it was published, count
--   n_withdrawn: records of withdrawn objects, which are not read, count
--   n_in_lake: rows a bare read of the lake sees: those published, or of a refused partition those of the publish
--     before, count
--   verdict: published, published_with_warnings, refused or withdrawn; waiting, running or failed while the newest
--     files are not settled
--   first_reason: the first reason for a failure, a refusal, a warning or a quarantine; missing where there is none
--   finished_at_utc: when the verdict was written, UTC
WITH landed AS (
    SELECT
        problem,
        partition_key,
        SUM(n_rows) AS n_landed
    FROM core.landing_partition
    GROUP BY
        problem,
        partition_key
),
known AS (
    SELECT
        problem,
        partition_key
    FROM landed
    UNION
    SELECT
        problem,
        partition_key
    FROM core.partition_audit
    UNION
    SELECT
        problem,
        partition_key
    FROM core.coverage
    WHERE stage IN ('land', 'ingest')
)
SELECT
    known.problem,
    known.partition_key,
    COALESCE(landed.n_landed, 0) AS n_landed,
    COALESCE(audit.n_in, landed.n_landed, 0) AS n_in,
    COALESCE(audit.n_published, 0) AS n_published,
    COALESCE(audit.n_quarantined, 0) AS n_quarantined,
    COALESCE(audit.n_duplicate, 0) AS n_duplicate,
    COALESCE(audit.n_refused, 0) AS n_refused,
    COALESCE(audit.n_withdrawn, 0) AS n_withdrawn,
    COALESCE(audit.n_in_lake, 0) AS n_in_lake,
    CASE
        WHEN ingest.status IN ('waiting', 'running', 'failed') THEN ingest.status
        ELSE COALESCE(audit.verdict, 'waiting')
    END AS verdict,
    CASE
        WHEN ingest.status IN ('waiting', 'running', 'failed') THEN COALESCE(ingest.detail, audit.first_reason)
        ELSE COALESCE(audit.first_reason, ingest.detail)
    END AS first_reason,
    audit.finished_at_utc
FROM known
LEFT JOIN landed
    ON landed.problem = known.problem
    AND landed.partition_key = known.partition_key
LEFT JOIN core.partition_audit AS audit
    ON audit.problem = known.problem
    AND audit.partition_key = known.partition_key
LEFT JOIN core.coverage AS ingest
    ON ingest.problem = known.problem
    AND ingest.partition_key = known.partition_key
    AND ingest.stage = 'ingest'
