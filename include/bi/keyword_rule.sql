-- Grain: one row per problem, proposed rule and keyword; rank 0 is the whole rule, all chosen keywords together.
-- Reads: core.rule_version, core.keyword_rule.
-- Units: shares 0..1, low and high are 95 % Wilson intervals on n_rows labelled rows, chosen by chance, that neither
-- suggested nor chose the keywords. is_in_force marks the newest approved rule.
-- Columns:
--   problem: name of the problem file
--   rule_version: rule-001, rule-002, ...; never used again
--   status: proposed, approved or refused; silence is a refusal
--   decided_by: person who decided, or the timeout
--   decided_at_utc: when it was approved or refused, UTC
--   proposed_at_utc: when it was proposed, UTC
--   positive_when: SQL predicate over the problem's columns
--   keyword: contains this, whatever the case; or the chosen ones together
--   rank: order of suggestion, from 1; 0 is the whole rule, all chosen keywords together
--   is_chosen: whether it is part of the proposed rule
--   n_hits: measured rows that contain it, count
--   n_rows: measured rows, chosen by chance and labelled, count
--   precision_ratio: share of the hits that are positive, 0..1
--   precision_low: lower end of the 95 % Wilson interval of precision_ratio, 0..1
--   precision_high: upper end of the 95 % Wilson interval of precision_ratio, 0..1
--   coverage_ratio: share of the positive rows that contain it, 0..1
--   coverage_low: lower end of the 95 % Wilson interval of coverage_ratio, 0..1
--   coverage_high: upper end of the 95 % Wilson interval of coverage_ratio, 0..1
--   is_in_force: whether it is the newest approved rule
SELECT
    rule.problem,
    rule.rule_version,
    rule.status,
    rule.decided_by,
    rule.decided_at_utc,
    rule.proposed_at_utc,
    rule.positive_when,
    keyword.keyword,
    keyword.rank,
    keyword.is_chosen,
    keyword.n_hits,
    keyword.n_rows,
    keyword.precision_ratio,
    keyword.precision_low,
    keyword.precision_high,
    keyword.coverage_ratio,
    keyword.coverage_low,
    keyword.coverage_high,
    rule.status = 'approved'
    AND rule.decided_at_utc = MAX(rule.decided_at_utc) FILTER (WHERE rule.status = 'approved') OVER (
        PARTITION BY rule.problem
    ) AS is_in_force
FROM core.rule_version AS rule
LEFT JOIN core.keyword_rule AS keyword
    ON keyword.problem = rule.problem
    AND keyword.rule_version = rule.rule_version
