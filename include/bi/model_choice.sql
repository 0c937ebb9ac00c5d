-- Grain: one row per problem, model version, candidate and calibration that competed for it.
-- Reads: core.model_choice, core.model_version.
-- Units: log loss in nats, on rows that neither the candidate nor its calibration was fitted on; behind_nats is how much
-- more than the best of the version. A small difference is no reason to prefer the less readable candidate.
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
    choice.is_chosen
FROM core.model_choice AS choice
INNER JOIN core.model_version AS version
    ON version.problem = choice.problem
    AND version.model_version = choice.model_version
WINDOW by_version AS (PARTITION BY choice.problem, choice.model_version)
