-- Grain: one row per problem, scope, subject and statistic, over all rounds so far.
-- Reads: core.agreement.
-- Units: value is 1 for full agreement and 0 for what chance would give; for gold_ratio it is the share of known answers
-- that were given, 0..1. All with 95 % intervals; missing where everybody always said the same class, because chance
-- explains that. Answers from recorded truth count as nobody's.
-- scope class is one class against the rest; scope reviewer is a person against the majority of the others (cohen_kappa)
-- or against the known answers of finished batches (gold_ratio). Figures about persons are for their leads.
SELECT
    agreement.problem,
    agreement.scope,
    agreement.subject,
    agreement.statistic,
    agreement.n_items,
    agreement.value,
    agreement.low,
    agreement.high,
    agreement.measured_at_utc
FROM core.agreement AS agreement
