-- Grain: one row per problem and item that two people or more have answered.
-- Reads: core.settled_label.
-- Units: label is missing where neither heads nor quality decide; confidence_ratio, 0..1, is the probability of that
-- label (or of the likeliest) by everybody's answers, each weighed by how often that person is right; gain_ratio, 0..1, is
-- how much surer one more typical answer is expected to make it.
-- Columns:
--   problem: name of the problem file
--   item_id: row key of the item in the lake
--   label: what it is settled as; missing where nobody can say yet
--   confidence_ratio: probability of that label, or of the likeliest, by everybody's answers, 0..1
--   n_people: people whose answers it rests on, count
--   gain_ratio: how much surer one more typical answer is expected to make it, 0..1
--   measured_at_utc: when it was measured, UTC
SELECT
    settled.problem,
    settled.item_id,
    settled.label,
    settled.confidence_ratio,
    settled.n_people,
    settled.gain_ratio,
    settled.measured_at_utc
FROM core.settled_label AS settled
