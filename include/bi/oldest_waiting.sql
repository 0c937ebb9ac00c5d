-- Grain: one row per problem and stage that something waits in; a stage where nothing waits has none.
-- Reads: core.coverage, core.feature_drift.
-- Units: partitions, or rounds of review; partition_key is the oldest of the n_waiting, since_utc when its state was written
-- last, and dag_id the DAG that has to take it. status is waiting, running or failed. A partition that has landed and that
-- ingest knows nothing of, or that is published and was never measured where others are, waits, too.
-- Columns:
--   problem: name of the problem file, or of one of its other logs
--   stage: stage that has to take it
--   dag_id: DAG that has to take it
--   partition_key: key of the oldest partition or round that waits
--   status: waiting, running or failed
--   detail: why, in words; missing where nothing is known
--   since_utc: when its state was written last, UTC
--   n_waiting: partitions or rounds that wait in this stage, count
--   n_failed: those of them that have failed, count
WITH known AS (
    SELECT
        problem,
        stage,
        partition_key,
        status,
        detail,
        updated_at_utc
    FROM core.coverage
    WHERE status IN ('waiting', 'running', 'failed')
    UNION ALL
    SELECT
        landed.problem,
        'ingest' AS stage,
        landed.partition_key,
        'waiting' AS status,
        'landed; ingest knows nothing of it' AS detail,
        landed.updated_at_utc
    FROM core.coverage AS landed
    LEFT JOIN core.coverage AS ingested
        ON ingested.problem = landed.problem
        AND ingested.partition_key = landed.partition_key
        AND ingested.stage = 'ingest'
    WHERE landed.stage = 'land'
        AND landed.status = 'done'
        AND ingested.problem IS NULL
    UNION ALL
    SELECT
        ingested.problem,
        'monitor' AS stage,
        ingested.partition_key,
        'waiting' AS status,
        'published; never measured' AS detail,
        ingested.updated_at_utc
    FROM core.coverage AS ingested
    LEFT JOIN core.coverage AS monitored
        ON monitored.problem = ingested.problem
        AND monitored.partition_key = ingested.partition_key
        AND monitored.stage = 'monitor'
    WHERE ingested.stage = 'ingest'
        AND ingested.status = 'done'
        AND monitored.problem IS NULL
        AND EXISTS (
            SELECT 1
            FROM core.feature_drift AS measured
            WHERE measured.problem = ingested.problem
        )
        AND NOT EXISTS (
            SELECT 1
            FROM core.feature_drift AS measured
            WHERE measured.problem = ingested.problem
                AND measured.partition_key = ingested.partition_key
        )
),
waiting AS (
    SELECT
        known.*,
        ROW_NUMBER() OVER in_order AS age_rank,
        COUNT(*) OVER (PARTITION BY known.problem, known.stage) AS n_waiting,
        COUNT(*) FILTER (WHERE known.status = 'failed') OVER (PARTITION BY known.problem, known.stage) AS n_failed
    FROM known
    WINDOW in_order AS (
        PARTITION BY known.problem, known.stage
        ORDER BY LENGTH(known.partition_key), known.partition_key
    )
)
SELECT
    problem,
    stage,
    problem || '__' || stage AS dag_id,
    partition_key,
    status,
    detail,
    updated_at_utc AS since_utc,
    n_waiting,
    n_failed
FROM waiting
WHERE age_rank = 1
