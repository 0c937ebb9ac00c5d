-- Grain: one row per problem, partition and run that replayed quarantined rows.
-- Reads: core.replay.
-- Units: rows. n_tried = n_published + n_quarantined + n_duplicate where the verdict is published or
-- published_with_warnings; else nothing changed, and n_quarantined = n_tried. Times are in UTC.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   replayed_at_utc: when the verdict was written, UTC
--   actor: who asked for it
--   reason: why, in one sentence
--   verdict: waiting, published, published_with_warnings, refused or nothing (to do)
--   first_reason: the first reason for the verdict
--   n_tried: quarantined rows that were replayed, count
--   n_published: rows of n_tried that are published now, less by those that stricter rules took out, count
--   n_quarantined: rows in quarantine now; all that were tried where nothing was published, count
--   n_duplicate: rows dropped because an earlier row has their key, count
--   announced_at_utc: when what waits downstream was told, UTC; missing where nothing was published
--   run_id: Airflow run, or by-hand
SELECT
    problem,
    partition_key,
    replayed_at_utc,
    actor,
    reason,
    verdict,
    first_reason,
    n_tried,
    n_published,
    n_quarantined,
    n_duplicate,
    announced_at_utc,
    run_id
FROM core.replay
