-- Grain: one row per problem, batch, item and feature that moved its probability; rank 0 is everything that is not listed.
-- Reads: core.local_explanation.
-- Units: contribution in log-odds before calibration, above 0 towards the positive class; the rows of an item sum to the
-- log-odds that the model gave it. No rows for the first batch: no model had an opinion yet.
-- Columns:
--   problem: name of the problem file
--   batch_id: batch in which the item was shown
--   item_id: row key of the item in the lake
--   rank: 1 moved the item most; 0 is where all items start, and everything that is not listed
--   model_version: version whose uncertainty chose the batch
--   feature: column of the problem, or a word of its text
--   contribution: what it added, log-odds before calibration; above 0 towards the positive class
SELECT
    problem,
    batch_id,
    item_id,
    rank,
    model_version,
    feature,
    contribution
FROM core.local_explanation
