-- Grain: one row per problem and batch.
-- Reads: core.review_batch, core.review_item, core.label, core.review_pass, core.review_seat.
-- Units: n_* are items, n_answers are answers (an item that two people see has two). n_waiting counts the items of an
-- open batch that nobody has answered and that were not let go; n_skipped and n_escalated are items that somebody could
-- not answer, or brought to a lead; hours_overdue is above 0 where an open batch is past its due time, and missing
-- for finished ones. seconds_per_answer_* are medians and 90 % quantiles over answers whose time was taken, people's only.
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
let_go AS (
    SELECT
        seat.problem,
        seat.batch_id,
        COUNT(DISTINCT seat.item_id) AS n_let_go
    FROM core.review_seat AS seat
    LEFT JOIN core.label AS label
        ON label.problem = seat.problem
        AND label.batch_id = seat.batch_id
        AND label.item_id = seat.item_id
    WHERE seat.state = 'passed'
        AND label.item_id IS NULL
    GROUP BY
        seat.problem,
        seat.batch_id
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
    CASE
        WHEN batch.status = 'open'
            THEN batch.n_items - COALESCE(answered.n_answered, 0) - COALESCE(let_go.n_let_go, 0)
        ELSE 0
    END AS n_waiting,
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
    answered.last_answer_at_utc
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
LEFT JOIN let_go
    ON let_go.problem = batch.problem
    AND let_go.batch_id = batch.batch_id
