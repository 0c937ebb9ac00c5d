-- Grain: one row per problem, partition and run that ran quarantined rows through again.
-- Reads: core.replay.
-- Units: rows. n_tried = n_published + n_quarantined + n_duplicate where the verdict is published or
-- published_with_warnings; else nothing changed, and n_quarantined = n_tried. Times are in UTC.
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
