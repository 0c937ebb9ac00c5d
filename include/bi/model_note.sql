-- Grain: one row per problem, model version and topic.
-- Reads: core.model_note.
-- Units: none; each note is one sentence that must be known to read the other views about the version.
SELECT
    problem,
    model_version,
    topic,
    note
FROM core.model_note
