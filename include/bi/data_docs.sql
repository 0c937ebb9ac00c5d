-- Grain: one row per problem and partition that was audited.
-- Reads: core.data_docs.
-- Units: bytes. The page itself is in bi.data_docs_page: nobody who asks for every column here wants pages of HTML.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   run_id: Airflow run, or by-hand
--   n_html_bytes: size of Great Expectations' page about the newest audit, bytes; the page itself is in
--     bi.data_docs_page
--   built_at_utc: when the page was written, UTC
SELECT
    problem,
    partition_key,
    run_id,
    OCTET_LENGTH(html) AS n_html_bytes,
    built_at_utc
FROM core.data_docs
