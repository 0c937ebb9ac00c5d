-- Grain: one row per problem and batch.
-- Reads: core.review_batch, core.review_item, core.label, core.review_pass, core.review_seat.
-- Units: n_* are items, n_answers are answers (an item that two people see has two). n_waiting counts the items of an
-- open batch that want another answer; n_second_wanted those of them that one person has answered and somebody else must,
-- too. n_skipped and n_escalated are items that somebody could not answer, or brought to a lead; hours_overdue is above 0
-- where an open batch is past its due time, and missing for finished ones. seconds_per_answer_* are medians and 90 %
-- quantiles over answers whose time was taken, people's only.
-- Columns:
--   problem: name of the problem file
--   batch_id: batch: round-001, round-002, ...
--   round_number: number of the round, from 1, the cold start
--   status: open or answered
--   n_items: items in the batch, count
--   n_answers_wanted: answers that all its items want together, count
--   n_answers: answers given, an item that two people see has two, count
--   n_waiting: items of an open batch that want another answer, count
--   n_skipped: items that somebody could not answer, count
--   n_escalated: items that somebody brought to a lead, count
--   chosen_at_utc: when it was put on the desk, UTC
--   due_at_utc: when it should be answered, UTC
--   answered_at_utc: when its last item was answered, UTC; missing while it is open
--   escalated_at_utc: when it was brought to the problem's escalation, UTC; missing if never
--   hours_overdue: hours past due_at_utc, from 0 up; missing for finished batches
--   hours_on_desk: hours since it was put on the desk, until it was answered
--   n_people: people who answered, recorded truth left out, count; missing while nobody has
--   seconds_per_answer_median: median time of an answer of people, seconds
--   seconds_per_answer_p90: 90 % quantile of the time of an answer of people, seconds
--   last_answer_at_utc: when the newest answer was given, UTC; missing while there is none
--   n_second_wanted: items of n_waiting that one person has answered and somebody else must, too, count
WITH answered AS (
    SELECT
        label.problem,
        label.batch_id,
        COUNT(*) AS n_answers,
        COUNT(DISTINCT label.item_id) AS n_answered,
        COUNT(DISTINCT label.labelled_by) FILTER (WHERE NOT label.is_demo) AS n_people,
        PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY label.duration_ms) FILTER (WHERE NOT label.is_demo) / 1000
            AS seconds_per_answer_median,
        PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY label.duration_ms) FILTER (WHERE NOT label.is_demo) / 1000
            AS seconds_per_answer_p90,
        MAX(label.labelled_at_utc) AS last_answer_at_utc
    FROM core.label AS label
    GROUP BY
        label.problem,
        label.batch_id
),
passed AS (
    SELECT
        pass.problem,
        pass.batch_id,
        COUNT(DISTINCT pass.item_id) FILTER (WHERE pass.action = 'skip') AS n_skipped,
        COUNT(DISTINCT pass.item_id) FILTER (WHERE pass.action = 'escalate') AS n_escalated
    FROM core.review_pass AS pass
    GROUP BY
        pass.problem,
        pass.batch_id
),
waiting AS (
    SELECT
        item.problem,
        item.batch_id,
        COUNT(*) AS n_waiting,
        COUNT(*) FILTER (WHERE said.n_answers > 0) AS n_second_wanted
    FROM core.review_item AS item
    INNER JOIN core.review_batch AS batch
        ON batch.problem = item.problem
        AND batch.batch_id = item.batch_id
        AND batch.status = 'open'
    LEFT JOIN LATERAL (
        SELECT
            COUNT(*) AS n_answers,
            BOOL_OR(label.is_demo) AS is_demo
        FROM core.label AS label
        WHERE label.problem = item.problem
            AND label.batch_id = item.batch_id
            AND label.item_id = item.item_id
    ) AS said ON TRUE
    -- Recorded truth answers for everybody; after the due time one answer is enough.
    WHERE said.is_demo IS NOT TRUE
        AND said.n_answers < CASE WHEN NOW() > batch.due_at_utc THEN 1 ELSE item.n_answers_wanted END
        AND NOT EXISTS (
            SELECT FROM core.review_seat AS assignment
            WHERE assignment.problem = item.problem
                AND assignment.batch_id = item.batch_id
                AND assignment.item_id = item.item_id
                AND assignment.state = 'passed'
        )
    GROUP BY
        item.problem,
        item.batch_id
),
wanted AS (
    SELECT
        item.problem,
        item.batch_id,
        SUM(item.n_answers_wanted)::BIGINT AS n_answers_wanted
    FROM core.review_item AS item
    GROUP BY
        item.problem,
        item.batch_id
)
SELECT
    batch.problem,
    batch.batch_id,
    batch.round_number,
    batch.status,
    batch.n_items,
    wanted.n_answers_wanted,
    COALESCE(answered.n_answers, 0) AS n_answers,
    COALESCE(waiting.n_waiting, 0) AS n_waiting,
    COALESCE(passed.n_skipped, 0) AS n_skipped,
    COALESCE(passed.n_escalated, 0) AS n_escalated,
    batch.chosen_at_utc,
    batch.due_at_utc,
    batch.answered_at_utc,
    batch.escalated_at_utc,
    CASE
        WHEN batch.status = 'open'
            THEN GREATEST(EXTRACT(EPOCH FROM NOW() - batch.due_at_utc) / 3600, 0)::DOUBLE PRECISION
    END AS hours_overdue,
    EXTRACT(EPOCH FROM COALESCE(batch.answered_at_utc, NOW()) - batch.chosen_at_utc)::DOUBLE PRECISION / 3600
        AS hours_on_desk,
    answered.n_people,
    answered.seconds_per_answer_median,
    answered.seconds_per_answer_p90,
    answered.last_answer_at_utc,
    COALESCE(waiting.n_second_wanted, 0) AS n_second_wanted
FROM core.review_batch AS batch
LEFT JOIN answered
    ON answered.problem = batch.problem
    AND answered.batch_id = batch.batch_id
LEFT JOIN wanted
    ON wanted.problem = batch.problem
    AND wanted.batch_id = batch.batch_id
LEFT JOIN passed
    ON passed.problem = batch.problem
    AND passed.batch_id = batch.batch_id
LEFT JOIN waiting
    ON waiting.problem = batch.problem
    AND waiting.batch_id = batch.batch_id
