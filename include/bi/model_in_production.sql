-- Grain: one row per problem and span of time in which one model version was in production.
-- Reads: core.model_event.
-- Units: UTC. "Which model on day D": valid_from_utc <= D AND (valid_until_utc > D OR valid_until_utc IS NULL).
-- A version that is rolled back, or rejected when it is judged again, leaves at that moment, and the newest promoted one
-- that still stands returns. Newest is the latest training point, and of one point the version promoted last: an older
-- point that is judged late serves the partitions before, not the newest.
-- serves_from is the first data partition that the version scores; it is the data's own time, not the clock's.
-- Columns:
--   problem: name of the problem file
--   model_version: version it is about
--   promoted_at_utc: when the version was promoted, UTC
--   promoted_by: person or DAG run that promoted it
--   reason: why it was promoted, in one sentence
--   serves_from: first data partition it scores, until a later version takes over; empty means all of them
--   valid_from_utc: from when on it was in production, UTC
--   valid_until_utc: until when it was in production, UTC; missing while it is
--   replaced_by: version in production after it; missing while it is, or where none was
--   is_in_production: whether it is in production now
WITH moments AS (
    SELECT DISTINCT
        problem,
        event_at_utc
    FROM core.model_event
    WHERE event IN ('promoted', 'rejected', 'rolled_back')
),
serving AS (
    SELECT
        moments.problem,
        moments.event_at_utc AS since_utc,
        newest.model_version,
        newest.event_at_utc AS promoted_at_utc,
        newest.actor,
        newest.reason,
        newest.serves_from
    FROM moments
    LEFT JOIN LATERAL (
        SELECT
            promoted.model_version,
            promoted.event_at_utc,
            promoted.actor,
            promoted.reason,
            promoted.serves_from
        FROM core.model_event AS promoted
        WHERE promoted.problem = moments.problem
            AND promoted.event = 'promoted'
            AND promoted.event_at_utc <= moments.event_at_utc
            AND NOT EXISTS (
                SELECT 1
                FROM core.model_event AS gone
                WHERE gone.problem = promoted.problem
                    AND gone.model_version = promoted.model_version
                    AND gone.event IN ('rejected', 'rolled_back')
                    AND gone.event_at_utc >= promoted.event_at_utc
                    AND gone.event_at_utc <= moments.event_at_utc
            )
        ORDER BY
            REGEXP_REPLACE(promoted.model_version, '-[^-]*$', '') COLLATE "C" DESC,
            promoted.event_at_utc DESC,
            promoted.model_version DESC
        LIMIT 1
    ) AS newest ON TRUE
),
changes AS (
    SELECT
        serving.*,
        LAG(model_version) OVER by_time IS DISTINCT FROM model_version
            OR LAG(promoted_at_utc) OVER by_time IS DISTINCT FROM promoted_at_utc AS is_change
    FROM serving
    WINDOW by_time AS (PARTITION BY problem ORDER BY since_utc)
),
spans AS (
    SELECT
        problem,
        model_version,
        promoted_at_utc,
        actor AS promoted_by,
        reason,
        serves_from,
        since_utc AS valid_from_utc,
        LEAD(since_utc) OVER by_time AS valid_until_utc,
        LEAD(model_version) OVER by_time AS replaced_by
    FROM changes
    WHERE is_change
    WINDOW by_time AS (PARTITION BY problem ORDER BY since_utc)
)
SELECT
    problem,
    model_version,
    promoted_at_utc,
    promoted_by,
    reason,
    serves_from,
    valid_from_utc,
    valid_until_utc,
    replaced_by,
    valid_until_utc IS NULL AS is_in_production
FROM spans
WHERE model_version IS NOT NULL
