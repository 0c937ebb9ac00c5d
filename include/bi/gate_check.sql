-- Grain: one row per problem, model version and check that it met before it was promoted or rejected.
-- Reads: core.gate_check.
-- Units: value and bound in the check's own unit, which its detail names; missing where there was nothing to compare.
SELECT
    problem,
    model_version,
    check_name,
    is_pass,
    value,
    bound,
    detail
FROM core.gate_check
