-- Grain: one row per problem, model version and line of the scorecard that competed for it.
-- Reads: core.scorecard_term.
-- Units: odds_ratio multiplies the odds of the positive class, for one `step` more of a number (one standard deviation,
-- in its own unit), or for being of the category `term` rather than an average one. vif_ratio is how much the other
-- numbers blur this one; from 10 on its odds say little by themselves.
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
