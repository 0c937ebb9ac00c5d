-- Grain: one row per problem and partition that was audited.
-- Reads: core.data_docs.
-- Units: html is Great Expectations' page about the newest audit, a piece without scripts, styles or personal values; the
-- Reports page shows it behind a login. Times are in UTC.
SELECT
    problem,
    partition_key,
    run_id,
    html,
    built_at_utc
FROM core.data_docs
