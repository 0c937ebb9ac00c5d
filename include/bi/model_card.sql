-- Grain: one row per problem and model version that was ever fitted.
-- Reads: core.model_version, core.model_event, bi.model_in_production.
-- Units: counts in rows; threshold_ratio 0..1 is the probability from which on is acted; a person is asked from
-- ask_from_ratio on and below ask_until_ratio, 0..1, both missing where nobody is. The event is the newest one about the
-- version: promoted, rejected or rolled_back; missing while no gate has decided.
-- n_withdrawn counts its training rows that were withdrawn since, found at rows_withdrawn_at_utc; missing where none was.
-- Columns:
--   problem: name of the problem file
--   model_version: name of the version; sorts by age within a problem
--   model_name: candidate that was fitted
--   status: candidate; promoted or rejected by the gate or a person; awaiting_approval; rolled_back
--   trained_through: last data partition whose rows it has seen
--   snapshot_id: Iceberg snapshot of the training rows
--   labels_as_of_utc: labels known at this moment were used, UTC; for labels from the log, the newest event time
--   trained_at_utc: when the fit ended, UTC
--   n_train: rows fitted on, count
--   n_calibrate: rows calibrated on; the same rows, out of fold, where people give the labels, count
--   n_evaluate: held-out rows measured on, count
--   n_withdrawn: rows of n_train whose object was withdrawn since, count; missing where none was
--   rows_withdrawn_at_utc: when rows it was trained on were found to be withdrawn, UTC; missing if never
--   threshold_ratio: probability from which on the positive class is acted on, 0..1; missing where there are
--     several classes
--   ask_from_ratio: a person is asked from this probability on, 0..1; missing where nobody is
--   ask_until_ratio: a person is asked below this probability, 0..1; missing as above
--   calibration: map from score to probability that was chosen: none, sigmoid, ...
--   features: names of the features, in order
--   parameters: settings of the fit, and its seed
--   artifact_sha256: hash of the stored bytes
--   event: newest event about the version: promoted, rejected, awaiting_approval or rolled_back; missing while no
--     gate has decided
--   event_at_utc: when the event was, UTC
--   actor: person or DAG run that did it
--   reason: why, in one sentence
--   is_in_production: whether it is in production now
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
    version.n_withdrawn,
    version.rows_withdrawn_at_utc,
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
