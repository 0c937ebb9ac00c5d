-- Grain: one row per problem, model version and check that it met before it was promoted or rejected.
-- Reads: core.gate_check.
-- Units: value and bound in the check's own unit, which its detail names; missing where there was nothing to compare.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was examined
--   check_name: what was asked
--   is_pass: whether it may be promoted for all this check knows
--   value: what was seen, in the unit that detail names; missing where there was nothing to compare
--   bound: what was allowed, in the unit that detail names; missing where there was nothing to compare
--   detail: the check in one sentence, with its numbers
SELECT
    problem,
    model_version,
    check_name,
    is_pass,
    value,
    bound,
    detail
FROM core.gate_check
