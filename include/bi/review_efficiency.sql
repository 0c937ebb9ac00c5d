-- Grain: one row per problem and review round.
-- Reads: core.review_batch, core.label, core.model_version, core.learning_curve, core.review_estimate, core.problem.
-- Units: *_chosen counts what any strategy chose: entropy, or another one of the problem's, or what spread the first
-- batch. n_labels_* are labels so far, all rounds up to this one; n_* without "labels" are of this round alone.
-- n_labels_demo counts those that recorded truth gave in a person's place.
-- positive_per_100_* says how many of 100 labelled items of the round had the positive label (missing until the problem
-- has been monitored once). auc_all_* comes from all labels so far, auc_random_* only from those of items that chance
-- chose; both 0..1 on the same held-out items, with 95 % intervals, measured when the first model after the round was
-- fitted. auc_all rests on n_labels_all and auc_random on the fewer n_labels_random, so the two of one row do not compare
-- like with like. labels_needed_by_random does: how many labels chosen by chance alone reach auc_all, read off the curve
-- of the control arm, with a 95 % interval; it counts items, as n_items_all does: choosing paid where it is above that. It is missing where chance
-- needs more labels than it was ever given: more than the largest n_labels_random, and nobody knows how many.
-- labels_saved is that, less the labels that taught the model: below 0 where chance alone would have done with fewer.
-- positive_per_100_estimated is of everything published, from the labels of all arms, weighted so that it is unbiased.
-- auc_gained compares like with like: the AUC of n_labels_compared labels of all arms, less that of as many of chance,
-- both read off their curves, with a 95 % interval. At 0 and below no gain is shown, and the next batch leaves half of the
-- chosen places to chance.
-- n_labels_* count answers: an item that two people saw has two, and gold and relabels are answered again. n_items_all
-- counts the items that taught, each once, all rounds up to this one; control_ratio, 0..1, is the share of them that
-- chance chose: what honest figures cost, whatever choosing saved.
-- Columns:
--   problem: name of the problem file
--   round_number: number of the round, from 1, the cold start
--   batch_id: batch of the round: round-001, round-002, ...
--   status: of the batch: open or answered
--   chosen_by_model: version whose uncertainty chose the batch; missing for the first
--   learned_model: first version fitted after the round, before the next; missing while there is none
--   n_items: items in the batch, count
--   n_chosen: answers of this round about items that a strategy chose, whichever it was, count
--   n_random: answers of this round about items that chance chose, count
--   n_labels_all: answers of all rounds up to this one, count
--   n_labels_chosen: answers of n_labels_all about items that a strategy chose, count
--   n_labels_random: answers of n_labels_all about items that chance chose, count
--   n_labels_demo: answers of n_labels_all that recorded truth gave in a person's place, count
--   n_positive_chosen: answers of n_chosen that are positive, count; missing until the problem has been monitored
--     once
--   n_positive_random: answers of n_random that are positive, count; missing until the problem has been monitored
--     once
--   positive_per_100_chosen: positive answers of 100 about items that a strategy chose, 0..100, this round
--   positive_per_100_random: positive answers of 100 about items that chance chose, 0..100, this round
--   auc_all_ratio: AUC of a model taught by all labels so far, 0..1, on held-out items
--   auc_all_low: lower end of the 95 % interval of auc_all_ratio, 0..1
--   auc_all_high: upper end of the 95 % interval of auc_all_ratio, 0..1
--   auc_random_ratio: AUC of a model taught by n_labels_random labels alone, 0..1, on the same items
--   auc_random_low: lower end of the 95 % interval of auc_random_ratio, 0..1
--   auc_random_high: upper end of the 95 % interval of auc_random_ratio, 0..1
--   labels_needed_by_random: labels of items chosen by chance alone that reach auc_all_ratio, count of items;
--     missing where chance needs more than it was ever given
--   labels_needed_by_random_low: lower end of the 95 % interval of labels_needed_by_random, count of items
--   labels_needed_by_random_high: upper end of the 95 % interval of labels_needed_by_random, count of items
--   labels_saved: labels_needed_by_random less the labels that taught the model, count of items; below 0 chance
--     alone would have done with fewer
--   labels_saved_low: lower end of the 95 % interval of labels_saved, count of items
--   labels_saved_high: upper end of the 95 % interval of labels_saved, count of items
--   positive_per_100_estimated: positive rows of 100 published ones, 0..100, from the labels of all arms, unbiased
--     by weights
--   positive_per_100_estimated_low: lower end of the 95 % interval of positive_per_100_estimated, 0..100
--   positive_per_100_estimated_high: upper end of the 95 % interval of positive_per_100_estimated, 0..100
--   n_items_all: items that taught in all rounds up to this one, each once, count
--   control_ratio: share of n_items_all that chance chose, 0..1: what honest figures cost
--   auc_gained: AUC of n_labels_compared labels of all arms less that of as many of chance, -1..1; at 0 and below
--     no gain is shown
--   auc_gained_low: lower end of the 95 % interval of auc_gained, -1..1
--   auc_gained_high: upper end of the 95 % interval of auc_gained, -1..1
--   n_labels_compared: labels on either side of auc_gained, count
WITH labelled AS (
    SELECT
        label.problem,
        label.batch_id,
        COUNT(*) AS n_labelled,
        COUNT(*) FILTER (WHERE label.is_demo) AS n_demo,
        COUNT(*) FILTER (WHERE label.arm NOT IN ('random', 'gold', 'relabel', 'imported', 'correction', 'adjudication')) AS n_chosen,
        COUNT(*) FILTER (WHERE label.arm = 'random') AS n_random,
        COUNT(*) FILTER (WHERE label.arm NOT IN ('random', 'gold', 'relabel', 'imported', 'correction', 'adjudication') AND label.label = problem.positive_label) AS n_positive_chosen,
        COUNT(*) FILTER (WHERE label.arm = 'random' AND label.label = problem.positive_label) AS n_positive_random,
        BOOL_OR(problem.positive_label IS NOT NULL) AS is_positive_known
    FROM core.label AS label
    LEFT JOIN core.problem AS problem
        ON problem.problem = label.problem
    GROUP BY
        label.problem,
        label.batch_id
),
first_asked AS (
    SELECT DISTINCT ON (label.problem, label.item_id)
        label.problem,
        label.item_id,
        label.batch_id,
        label.arm
    FROM core.label AS label
    WHERE label.arm <> 'gold'
    ORDER BY
        label.problem,
        label.item_id,
        LENGTH(label.batch_id),
        label.batch_id
),
first_labelled AS (
    SELECT
        first_asked.problem,
        first_asked.batch_id,
        COUNT(*) AS n_items,
        COUNT(*) FILTER (WHERE first_asked.arm = 'random') AS n_items_random
    FROM first_asked
    GROUP BY
        first_asked.problem,
        first_asked.batch_id
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
        COALESCE(labelled.n_chosen, 0) AS n_chosen,
        COALESCE(labelled.n_random, 0) AS n_random,
        CASE WHEN labelled.is_positive_known THEN labelled.n_positive_chosen END AS n_positive_chosen,
        CASE WHEN labelled.is_positive_known THEN labelled.n_positive_random END AS n_positive_random,
        (SUM(COALESCE(labelled.n_labelled, 0)) OVER by_round)::BIGINT AS n_labels_all,
        (SUM(COALESCE(labelled.n_chosen, 0)) OVER by_round)::BIGINT AS n_labels_chosen,
        (SUM(COALESCE(labelled.n_random, 0)) OVER by_round)::BIGINT AS n_labels_random,
        (SUM(COALESCE(labelled.n_demo, 0)) OVER by_round)::BIGINT AS n_labels_demo,
        (SUM(COALESCE(first_labelled.n_items, 0)) OVER by_round)::BIGINT AS n_items_all,
        (SUM(COALESCE(first_labelled.n_items_random, 0)) OVER by_round)::BIGINT AS n_items_random
    FROM core.review_batch AS batch
    LEFT JOIN labelled
        ON labelled.problem = batch.problem
        AND labelled.batch_id = batch.batch_id
    LEFT JOIN first_labelled
        ON first_labelled.problem = batch.problem
        AND first_labelled.batch_id = batch.batch_id
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
    rounds.n_chosen,
    rounds.n_random,
    rounds.n_labels_all,
    rounds.n_labels_chosen,
    rounds.n_labels_random,
    rounds.n_labels_demo,
    rounds.n_positive_chosen,
    rounds.n_positive_random,
    100::DOUBLE PRECISION * rounds.n_positive_chosen / NULLIF(rounds.n_chosen, 0) AS positive_per_100_chosen,
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
    100 * positive.high AS positive_per_100_estimated_high,
    rounds.n_items_all,
    rounds.n_items_random::DOUBLE PRECISION / NULLIF(rounds.n_items_all, 0) AS control_ratio,
    gained.value AS auc_gained,
    gained.low AS auc_gained_low,
    gained.high AS auc_gained_high,
    gained.n_labels AS n_labels_compared
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
LEFT JOIN core.review_estimate AS gained
    ON gained.problem = rounds.problem
    AND gained.batch_id = rounds.batch_id
    AND gained.quantity = 'auc_gained'
LEFT JOIN core.review_estimate AS positive
    ON positive.problem = rounds.problem
    AND positive.batch_id = rounds.batch_id
    AND positive.quantity = 'positive_ratio'
