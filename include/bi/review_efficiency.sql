-- Grain: one row per problem and review round.
-- Reads: core.review_batch, core.label, core.model_version, core.learning_curve, core.review_estimate, core.problem.
-- Units: *_entropy counts what any strategy chose: entropy, or another one of the problem's, or what spread the first
-- batch. n_labels_* are labels so far, all rounds up to this one; n_* without "labels" are of this round alone.
-- n_labels_demo counts those that recorded truth gave in a person's place.
-- positive_per_100_* says how many of 100 labelled items of the round had the positive label (missing until the problem
-- has been monitored once). auc_all_* comes from all labels so far, auc_random_* only from those of items that chance
-- chose; both 0..1 on the same held-out items, with 95 % intervals, measured when the first model after the round was
-- fitted. auc_all rests on n_labels_all and auc_random on the fewer n_labels_random, so the two of one row do not compare
-- like with like. labels_needed_by_random does: how many labels chosen by chance alone reach auc_all, read off the curve
-- of the control arm, with a 95 % interval; choosing paid where that is above n_labels_all. It is missing where chance
-- needs more labels than it was ever given: more than the largest n_labels_random, and nobody knows how many.
-- labels_saved is that, less the labels that taught the model: below 0 where chance alone would have done with fewer.
-- positive_per_100_estimated is of everything published, from the labels of all arms, weighted so that it is unbiased.
WITH labelled AS (
    SELECT
        label.problem,
        label.batch_id,
        COUNT(*) AS n_labelled,
        COUNT(*) FILTER (WHERE label.is_demo) AS n_demo,
        COUNT(*) FILTER (WHERE label.arm NOT IN ('random', 'gold', 'relabel')) AS n_entropy,
        COUNT(*) FILTER (WHERE label.arm = 'random') AS n_random,
        COUNT(*) FILTER (WHERE label.arm NOT IN ('random', 'gold', 'relabel') AND label.label = problem.positive_label) AS n_positive_entropy,
        COUNT(*) FILTER (WHERE label.arm = 'random' AND label.label = problem.positive_label) AS n_positive_random,
        BOOL_OR(problem.positive_label IS NOT NULL) AS is_positive_known
    FROM core.label AS label
    LEFT JOIN core.problem AS problem
        ON problem.problem = label.problem
    GROUP BY
        label.problem,
        label.batch_id
),
rounds AS (
    SELECT
        batch.problem,
        batch.round_number,
        batch.batch_id,
        batch.status,
        batch.model_version AS chosen_by_model,
        batch.n_items,
        batch.answered_at_utc,
        LEAD(batch.answered_at_utc) OVER by_round AS next_answered_at_utc,
        COALESCE(labelled.n_entropy, 0) AS n_entropy,
        COALESCE(labelled.n_random, 0) AS n_random,
        CASE WHEN labelled.is_positive_known THEN labelled.n_positive_entropy END AS n_positive_entropy,
        CASE WHEN labelled.is_positive_known THEN labelled.n_positive_random END AS n_positive_random,
        (SUM(COALESCE(labelled.n_labelled, 0)) OVER by_round)::BIGINT AS n_labels_all,
        (SUM(COALESCE(labelled.n_entropy, 0)) OVER by_round)::BIGINT AS n_labels_entropy,
        (SUM(COALESCE(labelled.n_random, 0)) OVER by_round)::BIGINT AS n_labels_random,
        (SUM(COALESCE(labelled.n_demo, 0)) OVER by_round)::BIGINT AS n_labels_demo
    FROM core.review_batch AS batch
    LEFT JOIN labelled
        ON labelled.problem = batch.problem
        AND labelled.batch_id = batch.batch_id
    WINDOW by_round AS (PARTITION BY batch.problem ORDER BY batch.round_number)
)
SELECT
    rounds.problem,
    rounds.round_number,
    rounds.batch_id,
    rounds.status,
    rounds.chosen_by_model,
    learned.model_version AS learned_model,
    rounds.n_items,
    rounds.n_entropy,
    rounds.n_random,
    rounds.n_labels_all,
    rounds.n_labels_entropy,
    rounds.n_labels_random,
    rounds.n_labels_demo,
    rounds.n_positive_entropy,
    rounds.n_positive_random,
    100::DOUBLE PRECISION * rounds.n_positive_entropy / NULLIF(rounds.n_entropy, 0) AS positive_per_100_entropy,
    100::DOUBLE PRECISION * rounds.n_positive_random / NULLIF(rounds.n_random, 0) AS positive_per_100_random,
    of_all.value AS auc_all_ratio,
    of_all.low AS auc_all_low,
    of_all.high AS auc_all_high,
    of_random.value AS auc_random_ratio,
    of_random.low AS auc_random_low,
    of_random.high AS auc_random_high,
    needed.value AS labels_needed_by_random,
    needed.low AS labels_needed_by_random_low,
    needed.high AS labels_needed_by_random_high,
    needed.value - needed.n_labels AS labels_saved,
    needed.low - needed.n_labels AS labels_saved_low,
    needed.high - needed.n_labels AS labels_saved_high,
    100 * positive.value AS positive_per_100_estimated,
    100 * positive.low AS positive_per_100_estimated_low,
    100 * positive.high AS positive_per_100_estimated_high
FROM rounds
LEFT JOIN LATERAL (
    SELECT version.model_version
    FROM core.model_version AS version
    WHERE version.problem = rounds.problem
        AND version.labels_as_of_utc >= rounds.answered_at_utc
        AND (rounds.next_answered_at_utc IS NULL OR version.labels_as_of_utc < rounds.next_answered_at_utc)
    ORDER BY
        version.labels_as_of_utc,
        version.model_version
    LIMIT 1
) AS learned ON TRUE
LEFT JOIN core.learning_curve AS of_all
    ON of_all.problem = rounds.problem
    AND of_all.model_version = learned.model_version
    AND of_all.arm = 'all'
    AND of_all.metric = 'auc'
LEFT JOIN core.learning_curve AS of_random
    ON of_random.problem = rounds.problem
    AND of_random.model_version = learned.model_version
    AND of_random.arm = 'random'
    AND of_random.metric = 'auc'
LEFT JOIN core.review_estimate AS needed
    ON needed.problem = rounds.problem
    AND needed.batch_id = rounds.batch_id
    AND needed.quantity = 'labels_needed_by_random'
LEFT JOIN core.review_estimate AS positive
    ON positive.problem = rounds.problem
    AND positive.batch_id = rounds.batch_id
    AND positive.quantity = 'positive_ratio'
