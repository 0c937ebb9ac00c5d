-- Grain: one row per problem and partition in which people corrected what the log says.
-- Reads: core.label_correction.
-- Units: rows of the log. n_corrected = n_overruled + n_confirmed + n_first + n_undecided: most people say otherwise than
-- the log did when they corrected it, say the same, said it before the log said anything, or no answer has more people
-- than every other, and the log's label counts. Where one class is looked for, answers are its two sides. Times are in
-- UTC.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   n_corrected: rows of the log that people corrected, count
--   n_overruled: rows of n_corrected where most people say otherwise than the log, count
--   n_confirmed: rows of n_corrected where most people say what the log says, count
--   n_first: rows of n_corrected that people answered before the log said anything, count
--   n_undecided: rows of n_corrected where no answer has more people than every other; the log's label counts,
--     count
--   corrected_at_utc: when the newest correction was read, UTC
WITH answer AS (
    SELECT
        problem,
        partition_key,
        item_id,
        BOOL_OR(COALESCE(is_positive = log_is_positive, label = log_label)) AS is_as_the_log,
        MAX(corrected_at_utc) AS corrected_at_utc,
        RANK() OVER (
            PARTITION BY
                problem,
                partition_key,
                item_id
            ORDER BY COUNT(*) DESC
        ) AS place
    FROM core.label_correction
    GROUP BY
        problem,
        partition_key,
        item_id,
        COALESCE(is_positive::TEXT, label)
),

item AS (
    SELECT
        problem,
        partition_key,
        item_id,
        COUNT(*) FILTER (WHERE place = 1) = 1 AS is_settled,
        BOOL_OR(is_as_the_log) FILTER (WHERE place = 1) AS is_as_the_log,
        MAX(corrected_at_utc) AS corrected_at_utc
    FROM answer
    GROUP BY
        problem,
        partition_key,
        item_id
)
SELECT
    problem,
    partition_key,
    COUNT(*) AS n_corrected,
    COUNT(*) FILTER (WHERE is_settled AND NOT is_as_the_log) AS n_overruled,
    COUNT(*) FILTER (WHERE is_settled AND is_as_the_log) AS n_confirmed,
    COUNT(*) FILTER (WHERE is_settled AND is_as_the_log IS NULL) AS n_first,
    COUNT(*) FILTER (WHERE NOT is_settled) AS n_undecided,
    MAX(corrected_at_utc) AS corrected_at_utc
FROM item
GROUP BY
    problem,
    partition_key
