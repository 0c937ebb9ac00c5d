-- Grain: one row per problem, batch, item and feature that moved its probability; rank 0 is everything that is not listed.
-- Reads: core.local_explanation.
-- Units: contribution in log-odds before calibration, above 0 towards the positive class; the rows of an item sum to the
-- log-odds that the model gave it. No rows for the first batch: no model had an opinion yet.
SELECT
    problem,
    batch_id,
    item_id,
    rank,
    model_version,
    feature,
    contribution
FROM core.local_explanation
