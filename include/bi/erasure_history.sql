-- Grain: one row per problem and person who was erased. Who that was, nobody can say: their hashes stay in core.
-- Reads: core.erased_subject.
-- Units: rows that were removed from the lake; times are in UTC. Where proven_at_utc is missing, no scan has found yet
-- that nothing is left.
-- Columns:
--   problem: name of the problem file
--   asked_at_utc: from when on ingest leaves the person's rows out, UTC
--   actor: person or DAG run that asked for it first
--   reason: why, as whoever asked for it first wrote
--   n_rows: rows that were removed from the lake by all runs, count
--   proven_at_utc: when a scan last found nothing left, UTC; missing until then
SELECT
    problem,
    MIN(asked_at_utc) AS asked_at_utc,
    (ARRAY_AGG(actor ORDER BY asked_at_utc))[1] AS actor,
    (ARRAY_AGG(reason ORDER BY asked_at_utc))[1] AS reason,
    MAX(n_rows) AS n_rows,
    MAX(proven_at_utc) AS proven_at_utc
FROM core.erased_subject
GROUP BY
    problem,
    subject_id
