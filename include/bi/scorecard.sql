-- Grain: one row per problem, model version and line of the scorecard that competed for it.
-- Reads: core.scorecard_term.
-- Units: odds_ratio multiplies the odds of the positive class, for one `step` more of a number (one standard deviation,
-- in its own unit), or for being of the category `term` rather than an average one. vif_ratio is how much the other
-- numbers blur this one; from 10 on its odds say little by themselves.
-- Columns:
--   problem: name of the problem file
--   model_version: version whose training fitted the scorecard
--   feature: column of the problem
--   term: category; empty for a number
--   odds_ratio: factor, above 0, for the odds of the positive class for one step more, or for being of the category
--     term
--   step: for so much more of a number, one standard deviation in its own unit
--   vif_ratio: variance inflation by the other numbers, factor from 1 up; missing where exact
--   is_blurred: whether vif_ratio is 10 or more, so that the odds say little by themselves
SELECT
    problem,
    model_version,
    feature,
    term,
    odds_ratio,
    step,
    vif_ratio,
    COALESCE(vif_ratio >= 10, FALSE) AS is_blurred
FROM core.scorecard_term
