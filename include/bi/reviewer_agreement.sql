-- Grain: one row per problem, scope, subject and statistic, over all rounds so far.
-- Reads: core.agreement.
-- Units: value is 1 for full agreement and 0 for what chance would give; for gold_ratio it is the share of known answers
-- that were given, 0..1. All with 95 % intervals; missing where everybody always said the same class, because chance
-- explains that, and where is_too_few: fewer than 10 items say nothing. Answers from recorded truth count as nobody's,
-- and so do a person's answers to items that they helped to make known.
-- scope class is one class against the rest; scope reviewer is a person against the majority of the others (cohen_kappa)
-- or against the known answers of finished batches (gold_ratio), or their share of right answers as everybody's answers
-- together make it likely (right_ratio, 0..1). Figures about persons are for their leads.
-- Columns:
--   problem: name of the problem file
--   scope: all, class (against the rest) or reviewer
--   subject: the class or the person that the statistic is about; empty where scope is all
--   statistic: krippendorff_alpha, fleiss_kappa, cohen_kappa, gold_ratio (of known answers), or right_ratio (of
--     all)
--   n_items: items that two people answered, or gold questions, count
--   value: the statistic, no unit: 1 is full agreement and 0 what chance gives; shares 0..1 for gold_ratio and
--     right_ratio; missing where all say the same or is_too_few
--   low: lower end of the 95 % interval of value, in its unit
--   high: upper end of the 95 % interval of value, in its unit
--   measured_at_utc: when it was measured, UTC
--   is_too_few: whether fewer than 10 items say nothing
SELECT
    agreement.problem,
    agreement.scope,
    agreement.subject,
    agreement.statistic,
    agreement.n_items,
    agreement.value,
    agreement.low,
    agreement.high,
    agreement.measured_at_utc,
    agreement.value IS NULL AND agreement.n_items < 10 AS is_too_few
FROM core.agreement AS agreement
