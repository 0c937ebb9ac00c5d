-- Grain: one row per problem and cause that the newest partition measured for this cause still shows.
-- Reads: core.alert, core.alert_event, core.feature_drift, core.calibration_summary, core.class_calibration, core.quantity_quality, core.problem.
-- Units: value and bound in the metric's own unit, of the worst of n_findings; findings lists them all, the worst first, and
-- n_watched is how many features of this cause were measured; partition_key is the newest partition with the alert, and
-- since_partition_key the first of the unbroken row of n_partitions that all have it. An alert closes by itself when
-- a later partition with enough rows is measured without it. Partitions up to the one at which a person closed a cause
-- count for it no more; a later one opens it again.
-- Columns:
--   problem: name of the problem file
--   alert_id: cause: drift, output_drift, calibration, calibration of one class, coverage, first_model, late,
--     or the desk's own
--   partition_key: key of the newest partition measured that shows it
--   since_partition_key: first partition of the unbroken row that all show it
--   n_partitions: partitions in that row, count
--   metric: n_late, error_ratio, relative_error_ratio, coverage_ratio, psi_ratio, psi_rest_ratio, unseen_ratio
--   subject: model version, or the features that are worst of it
--   value: what was seen of the worst, in the unit of metric
--   bound: what was allowed of the worst, in the unit of metric
--   action: warn, escalate or retrain; review for an overdue batch
--   message: the alert as a person reads it
--   opened_at_utc: when it was first raised, UTC
--   findings: what it is about, the worst first: subject, metric, value and bound of each; null at the desk
--   n_watched: features of this cause that were measured in the partition, count; missing at the desk
--   n_findings: findings, count; 1 at the desk
--   state: open, escalated, or snoozed until snoozed_until_utc
--   escalated_at_utc: when it went past the owner, UTC; missing while it has not
--   snoozed_until_utc: until when a person has put it off, UTC; missing where nobody has
WITH measured AS (
    SELECT
        problem,
        partition_key,
        CASE
            WHEN feature = 'p_positive' OR feature LIKE 'p_positive: %' OR feature LIKE 'said: %' THEN 'output_drift'
            ELSE 'drift'
        END AS alert_id
    FROM core.feature_drift
    WHERE verdict <> 'too_few_rows'
    UNION
    SELECT
        summary.problem,
        summary.partition_key,
        'calibration' AS alert_id
    FROM core.calibration_summary AS summary
    LEFT JOIN core.problem AS problem
        ON problem.problem = summary.problem
    WHERE summary.ece_ratio IS NOT NULL
        AND summary.n_labelled >= COALESCE(problem.minimum_rows, 1)
    UNION
    SELECT
        by_class.problem,
        by_class.partition_key,
        'calibration:' || by_class.class_name AS alert_id
    FROM core.class_calibration AS by_class
    LEFT JOIN core.problem AS problem
        ON problem.problem = by_class.problem
    WHERE by_class.ece_ratio IS NOT NULL
        AND by_class.n_labelled >= COALESCE(problem.minimum_rows, 1)
    UNION
    SELECT
        quality.problem,
        quality.partition_key,
        'coverage' AS alert_id
    FROM core.quantity_quality AS quality
    LEFT JOIN core.problem AS problem
        ON problem.problem = quality.problem
    WHERE quality.n_labelled >= COALESCE(problem.minimum_rows, 1)
),
calm AS (
    SELECT
        measured.problem,
        measured.alert_id,
        MAX(measured.partition_key) AS partition_key
    FROM measured
    LEFT JOIN core.alert AS alert
        ON alert.problem = measured.problem
        AND alert.partition_key = measured.partition_key
        AND alert.alert_id = measured.alert_id
    WHERE alert.alert_id IS NULL
    GROUP BY
        measured.problem,
        measured.alert_id
),
closed AS (
    SELECT
        problem,
        alert_id,
        MAX(partition_key) AS partition_key
    FROM core.alert_event
    WHERE event = 'closed'
        AND is_by_person
    GROUP BY
        problem,
        alert_id
),
standing AS (
    SELECT
        alert.*,
        ROW_NUMBER() OVER (PARTITION BY alert.problem, alert.alert_id ORDER BY alert.partition_key DESC) AS age_rank,
        MIN(alert.partition_key) OVER (PARTITION BY alert.problem, alert.alert_id) AS since_partition_key,
        COUNT(*) OVER (PARTITION BY alert.problem, alert.alert_id) AS n_partitions
    FROM core.alert AS alert
    LEFT JOIN calm
        ON calm.problem = alert.problem
        AND calm.alert_id = alert.alert_id
    LEFT JOIN closed
        ON closed.problem = alert.problem
        AND closed.alert_id = alert.alert_id
    WHERE (calm.partition_key IS NULL OR alert.partition_key > calm.partition_key)
        AND (closed.partition_key IS NULL OR alert.partition_key > closed.partition_key)
),
opened AS (
    SELECT
        problem,
        alert_id,
        MAX(event_number) AS event_number
    FROM core.alert_event
    WHERE event = 'opened'
    GROUP BY
        problem,
        alert_id
),
life AS (
    SELECT
        happened.problem,
        happened.alert_id,
        MAX(happened.happened_at_utc) FILTER (WHERE happened.event = 'escalated') AS escalated_at_utc,
        (ARRAY_AGG(happened.until_utc ORDER BY happened.event_number DESC) FILTER (WHERE happened.event = 'snoozed'))[1]
            AS snoozed_until_utc
    FROM core.alert_event AS happened
    INNER JOIN opened
        ON opened.problem = happened.problem
        AND opened.alert_id = happened.alert_id
        AND opened.event_number <= happened.event_number
    GROUP BY
        happened.problem,
        happened.alert_id
)
SELECT
    standing.problem,
    standing.alert_id,
    standing.partition_key,
    standing.since_partition_key,
    standing.n_partitions,
    standing.metric,
    standing.subject,
    standing.value,
    standing.bound,
    standing.action,
    standing.message,
    standing.opened_at_utc,
    standing.findings,
    standing.n_watched,
    COALESCE(JSONB_ARRAY_LENGTH(NULLIF(standing.findings, 'null'::JSONB)), 1) AS n_findings,
    CASE
        WHEN life.snoozed_until_utc > NOW() THEN 'snoozed'
        WHEN life.escalated_at_utc IS NOT NULL THEN 'escalated'
        ELSE 'open'
    END AS state,
    life.escalated_at_utc,
    life.snoozed_until_utc
FROM standing
LEFT JOIN life
    ON life.problem = standing.problem
    AND life.alert_id = standing.alert_id
WHERE standing.age_rank = 1
