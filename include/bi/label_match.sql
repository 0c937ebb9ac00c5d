-- Grain: one row per partition of a log that gives labels.
-- Reads: core.label_match.
-- Units: rows of the label log; matched + late + before + unmatched + without_key = labels. matched_ratio is 0..1.
-- Columns:
--   problem: name of the problem file
--   log: name of the log that gives labels, as the problem file calls it
--   partition_key: key of the data's own hour, day or month
--   n_labels: rows of this partition of the label log, count
--   n_matched: rows of n_labels within the period after the event of a row they name, count
--   n_late: rows of n_labels later than the period after every event they name; they label nothing, count
--   n_before: rows of n_labels before every event they name; they label nothing, count
--   n_unmatched: rows of n_labels with a key that no row has, count
--   n_without_key: rows of n_labels without a key, count
--   n_repeated: rows of n_matched about a row that has another label, too, count
--   matched_ratio: n_matched of n_labels, 0..1; missing where there are none
--   matched_at_utc: when it was counted, UTC
SELECT
    SPLIT_PART(match.problem, '.', 1) AS problem,
    SPLIT_PART(match.problem, '.', 2) AS log,
    match.partition_key,
    match.n_labels,
    match.n_matched,
    match.n_late,
    match.n_before,
    match.n_unmatched,
    match.n_without_key,
    match.n_repeated,
    match.n_matched::DOUBLE PRECISION / NULLIF(match.n_labels, 0) AS matched_ratio,
    match.matched_at_utc
FROM core.label_match AS match
