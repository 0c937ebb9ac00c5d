-- Grain: one row per problem and partition that was audited.
-- Reads: core.data_docs.
-- Units: none; each page is a piece of HTML of some ten thousand characters, so ask for one problem and partition. The Reports
-- page shows it behind a login.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   html: Great Expectations' page about the newest audit, HTML without scripts, styles or personal values
--   built_at_utc: when the page was written, UTC
SELECT
    problem,
    partition_key,
    html,
    built_at_utc
FROM core.data_docs
