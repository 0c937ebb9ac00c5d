-- Grain: one row per problem, label file and reason for which lines of it were not taken.
-- Reads: core.label_file.
-- Units: n_lines are the lines refused for this reason, first_line the first of them, counted from 1; n_stored and
-- n_rejected are of the whole file, as it was read last. Of a file with more than 20 reasons the rarest are left out.
-- Columns:
--   problem: name of the problem file
--   object_key: path of the file below the landing URL
--   reason: why lines were not taken
--   n_lines: lines refused for this reason, count
--   first_line: first of these lines, line number from 1
--   n_stored: lines of the whole file that became answers, count
--   n_rejected: lines of the whole file that were not taken, count
--   imported_at_utc: when the file was read last, UTC
SELECT
    file.problem,
    file.object_key,
    reason.reason,
    reason.n_lines,
    reason.first_line,
    file.n_stored,
    file.n_rejected,
    file.imported_at_utc
FROM core.label_file AS file
CROSS JOIN LATERAL JSONB_TO_RECORDSET(
    CASE WHEN JSONB_TYPEOF(file.reasons) = 'array' THEN file.reasons END
) AS reason (reason TEXT, n_lines INTEGER, first_line INTEGER)
