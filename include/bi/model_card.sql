-- Grain: one row per problem and model version that was ever fitted.
-- Reads: core.model_version, core.model_event, bi.model_in_production.
-- Units: counts in rows; threshold_ratio 0..1 is the probability from which on is acted; a person is asked from
-- ask_from_ratio on and below ask_until_ratio, 0..1, both missing where nobody is. The event is the newest one about the
-- version: promoted, rejected or rolled_back; missing while no gate has decided.
WITH newest AS (
    SELECT DISTINCT ON (problem, model_version)
        problem,
        model_version,
        event,
        event_at_utc,
        actor,
        reason
    FROM core.model_event
    ORDER BY
        problem,
        model_version,
        event_at_utc DESC
)
SELECT
    version.problem,
    version.model_version,
    version.model_name,
    version.status,
    version.trained_through,
    version.snapshot_id,
    version.labels_as_of_utc,
    version.trained_at_utc,
    version.n_train,
    version.n_calibrate,
    version.n_evaluate,
    version.threshold_ratio,
    version.ask_from_ratio,
    version.ask_until_ratio,
    version.calibration,
    version.features,
    version.parameters,
    version.artifact_sha256,
    newest.event,
    newest.event_at_utc,
    newest.actor,
    newest.reason,
    COALESCE(serving.is_in_production, FALSE) AS is_in_production
FROM core.model_version AS version
LEFT JOIN newest
    ON newest.problem = version.problem
    AND newest.model_version = version.model_version
LEFT JOIN bi.model_in_production AS serving
    ON serving.problem = version.problem
    AND serving.model_version = version.model_version
    AND serving.is_in_production
