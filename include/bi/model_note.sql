-- Grain: one row per problem, model version and topic.
-- Reads: core.model_note.
-- Units: none; each note is one sentence that must be known to read the other views about the version.
-- Columns:
--   problem: name of the problem file
--   model_version: version it is about
--   topic: what could not be said, or how it was measured
--   note: one sentence
SELECT
    problem,
    model_version,
    topic,
    note
FROM core.model_note
