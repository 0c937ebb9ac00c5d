-- Grain: one row per problem with an experiment.
-- Reads: core.experiment_decision, core.experiment_check, core.experiment_lift.
-- Units: probabilities and reward rates 0..1; lifts are differences of reward rates, -1..1, with 95 % intervals.
-- The decision is the first final one, or the newest while none is final; promised comes from the pilot, realised from
-- the holdback, each as of the newest window that has it.
WITH decision AS (
    SELECT DISTINCT ON (problem)
        problem,
        partition_key,
        outcome,
        variant,
        best_probability,
        expected_loss_ratio,
        is_final,
        reason,
        decided_at_utc
    FROM core.experiment_decision
    ORDER BY
        problem,
        is_final DESC,
        CASE WHEN is_final THEN partition_key END ASC,
        partition_key DESC
),
checks AS (
    SELECT
        problem,
        partition_key,
        COUNT(*) AS n_checks,
        COUNT(*) FILTER (WHERE is_pass) AS n_checks_passed,
        STRING_AGG(detail, ' ' ORDER BY check_name) FILTER (WHERE NOT is_pass) AS failed_checks
    FROM core.experiment_check
    GROUP BY
        problem,
        partition_key
),
lift AS (
    SELECT DISTINCT ON (problem, kind, variant)
        problem,
        kind,
        variant,
        partition_key,
        n_variant,
        n_control,
        lift_ratio,
        low,
        high
    FROM core.experiment_lift
    ORDER BY
        problem,
        kind,
        variant,
        partition_key DESC
)
SELECT
    decision.problem,
    decision.outcome AS decision,
    CASE WHEN decision.outcome = 'winner' THEN decision.variant END AS winner,
    decision.variant AS variant_in_force,
    decision.is_final,
    decision.partition_key AS decided_partition_key,
    decision.best_probability,
    decision.expected_loss_ratio,
    promised.lift_ratio AS promised_lift_ratio,
    promised.low AS promised_low,
    promised.high AS promised_high,
    realised.lift_ratio AS realised_lift_ratio,
    realised.low AS realised_low,
    realised.high AS realised_high,
    realised.n_variant AS n_realised_variant,
    realised.n_control AS n_realised_control,
    realised.partition_key AS realised_partition_key,
    COALESCE(checks.n_checks, 0) AS n_checks,
    COALESCE(checks.n_checks_passed, 0) AS n_checks_passed,
    checks.n_checks = checks.n_checks_passed AS is_every_check_passed,
    checks.failed_checks,
    decision.reason,
    decision.decided_at_utc
FROM decision
LEFT JOIN checks
    ON checks.problem = decision.problem
    AND checks.partition_key = decision.partition_key
LEFT JOIN lift AS promised
    ON promised.problem = decision.problem
    AND promised.variant = decision.variant
    AND promised.kind = 'promised'
LEFT JOIN lift AS realised
    ON realised.problem = decision.problem
    AND realised.variant = decision.variant
    AND realised.kind = 'realised'
