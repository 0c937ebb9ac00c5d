-- Grain: one row per problem and cause that the newest partition measured for this cause still shows.
-- Reads: core.alert, core.feature_drift, core.calibration_summary, core.problem.
-- Units: value and bound in the metric's own unit; partition_key is the newest partition with the alert, and
-- since_partition_key the first of the unbroken row of n_partitions that all have it. An alert closes by itself when
-- a later partition with enough rows is measured without it.
WITH measured AS (
    SELECT
        problem,
        partition_key,
        'drift:' || feature AS alert_id
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
    WHERE calm.partition_key IS NULL
        OR alert.partition_key > calm.partition_key
)
SELECT
    problem,
    alert_id,
    partition_key,
    since_partition_key,
    n_partitions,
    metric,
    subject,
    value,
    bound,
    action,
    message,
    opened_at_utc
FROM standing
WHERE age_rank = 1
