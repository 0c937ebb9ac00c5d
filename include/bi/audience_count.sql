-- Grain: one row per partition of an experiment's audience.
-- Reads: core.send_count.
-- Units: rows of the audience; n_rows is the sum of n_listed, n_already_listed, n_held_back and n_left_out.
-- Columns:
--   problem: name of the problem file
--   experiment: name of the experiment; `experiment` where the file has a single one
--   log: log of the audience, as its stages name it
--   partition_key: partition of the audience, as the key of the data's own hour, day or month
--   n_rows: rows of the audience, count
--   n_listed: rows whose unit this partition listed, count
--   n_already_listed: rows whose unit another partition listed before, count
--   n_held_back: rows of units in the holdback of the rest or in the holdout of a layer, count
--   n_left_out: rows that were left out for another cause, count
--   causes: why rows were held back or left out, each with how many; missing where none was
--   counted_at_utc: when the partition was looked at last, UTC
SELECT
    problem,
    experiment,
    log,
    partition_key,
    SUM(n_rows) AS n_rows,
    COALESCE(SUM(n_rows) FILTER (WHERE reason = 'listed'), 0) AS n_listed,
    COALESCE(SUM(n_rows) FILTER (WHERE reason = 'already_listed'), 0) AS n_already_listed,
    COALESCE(SUM(n_rows) FILTER (WHERE reason IN ('unit_held_back', 'unit_in_holdout')), 0) AS n_held_back,
    COALESCE(
        SUM(n_rows)
            FILTER (WHERE reason NOT IN ('listed', 'already_listed', 'unit_held_back', 'unit_in_holdout')),
        0
    ) AS n_left_out,
    STRING_AGG(reason || ' ' || n_rows, ', ' ORDER BY reason)
        FILTER (WHERE reason NOT IN ('listed', 'already_listed')) AS causes,
    MAX(counted_at_utc) AS counted_at_utc
FROM core.send_count
GROUP BY
    problem,
    experiment,
    log,
    partition_key
