-- Grain: one row per problem, model version, candidate and calibration that competed for it.
-- Reads: core.model_choice, core.model_version.
-- Units: log loss in nats, on rows that neither the candidate nor its calibration was fitted on; behind_nats is how much
-- more than the best of the version. Of a quantity cost is the mean a row of what planning with it costs, in the unit of
-- value, and behind_cost how much more than the best. A small difference is no reason to prefer the less readable
-- candidate.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was chosen from these
--   status: candidate; promoted or rejected by the gate or a person; awaiting_approval; rolled_back
--   trained_through: last data partition whose rows it has seen
--   candidate: model that competed
--   calibration: map from its score to a probability: none, sigmoid, ...
--   n_rows: rows that neither the candidate nor its calibration was fitted on, count
--   log_loss_nats: mean log loss on these rows, nats a row; missing for a quantity
--   behind_nats: log_loss_nats less that of the best of the version, nats a row, from 0 up
--   cost: mean cost a row of planning with it, in the unit of value; missing for classes
--   behind_cost: cost less that of the best of the version, from 0 up, in the unit of value
--   is_chosen: whether this one became the version
SELECT
    choice.problem,
    choice.model_version,
    version.status,
    version.trained_through,
    choice.candidate,
    choice.calibration,
    choice.n_rows,
    choice.log_loss_nats,
    choice.log_loss_nats - MIN(choice.log_loss_nats) OVER by_version AS behind_nats,
    choice.cost,
    choice.cost - MIN(choice.cost) OVER by_version AS behind_cost,
    choice.is_chosen
FROM core.model_choice AS choice
INNER JOIN core.model_version AS version
    ON version.problem = choice.problem
    AND version.model_version = choice.model_version
WINDOW by_version AS (PARTITION BY choice.problem, choice.model_version)
