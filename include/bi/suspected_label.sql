-- Grain: one row per problem, model version and label that is probably wrong.
-- Reads: core.suspected_label, core.label.
-- Units: given_ratio is the probability that a model, not shown the answer, gives the given class, 0..1. Later answers are
-- those given after the suspicion; n_changed of n_later_answers are another class than the suspected one.
-- Columns:
--   problem: name of the problem file
--   model_version: version whose labels were examined
--   item_id: row key of the item in the lake
--   partition_key: key of the data's own hour, day or month
--   rank: place in the order of suspicion among the version's labels, from 1, the most suspicious
--   given_label: class that people gave
--   suggested_label: class that the model, not shown the answer, is sure of
--   given_ratio: probability that a model, not shown the answer, gives the given class, 0..1
--   n_examined: labels that were examined, count
--   found_at_utc: when it was suspected, UTC
--   n_later_answers: answers about the item given after the suspicion, count
--   n_changed: answers of n_later_answers that are another class than the suspected one, count
SELECT
    suspect.problem,
    suspect.model_version,
    suspect.item_id,
    suspect.partition_key,
    suspect.rank,
    suspect.given_label,
    suspect.suggested_label,
    suspect.given_ratio,
    suspect.n_examined,
    suspect.found_at_utc,
    COUNT(later.label) AS n_later_answers,
    COUNT(later.label) FILTER (WHERE later.label <> suspect.given_label) AS n_changed
FROM core.suspected_label AS suspect
LEFT JOIN core.label AS later
    ON later.problem = suspect.problem
    AND later.item_id = suspect.item_id
    AND later.labelled_at_utc > suspect.found_at_utc
GROUP BY
    suspect.problem,
    suspect.model_version,
    suspect.item_id,
    suspect.partition_key,
    suspect.rank,
    suspect.given_label,
    suspect.suggested_label,
    suspect.given_ratio,
    suspect.n_examined,
    suspect.found_at_utc
