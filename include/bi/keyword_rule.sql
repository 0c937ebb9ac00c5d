-- Grain: one row per problem, proposed rule and keyword; rank 0 is the whole rule, all chosen keywords together.
-- Reads: core.rule_version, core.keyword_rule.
-- Units: shares 0..1, low and high are 95 % Wilson intervals on n_rows labelled rows, chosen by chance, that neither
-- suggested nor chose the keywords. is_in_force marks the newest approved rule.
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
