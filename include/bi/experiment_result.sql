-- Grain: one row per experiment of a problem.
-- Reads: core.experiment_decision, core.experiment_check, core.experiment_lift, core.allocation, core.experiment_plan.
-- Units: probabilities and reward rates 0..1; lifts are differences of reward rates, -1..1, with 95 % intervals.
-- The decision is the first final one of the newest plan, or its newest while none is final; promised comes from the pilot, realised from
-- the holdback, each as of the newest window that has it. unlikely_checks says which check passed, but would so rarely
-- by chance (below 0.01) that people look at it. winner is what is sent where it is shown to beat the control; phase is
-- that of the newest window: hold, paused, ended, pilot, wave or rest.
-- Columns:
--   problem: name of the problem file
--   decision: outcome of the first final decision of the newest plan, or of the newest while none is final
--   winner: variant that is sent where it is shown to beat the control; else missing
--   variant_in_force: variant that the rest gets; missing while nothing is decided
--   is_final: whether this is the decision in force
--   decided_partition_key: window the decision was made with, as the key of the data's own hour, day or month
--   best_probability: posterior probability that what is sent is the best, 0..1
--   expected_loss_ratio: expected loss a unit against the best: rewards, or money where priced
--   promised_lift_ratio: lift over the control as the pilot showed it, difference of reward rates, -1..1
--   promised_low: lower end of the 95 % interval of promised_lift_ratio, -1..1
--   promised_high: upper end of the 95 % interval of promised_lift_ratio, -1..1
--   realised_lift_ratio: lift over the control as the holdback shows it, difference of reward rates, -1..1; missing
--     before
--   realised_low: lower end of the 95 % interval of realised_lift_ratio, -1..1
--   realised_high: upper end of the 95 % interval of realised_lift_ratio, -1..1
--   n_realised_variant: units with the variant that the realised lift rests on, count
--   n_realised_control: units of the holdback that the realised lift rests on, count
--   realised_partition_key: newest window that has a realised lift, as the key of the data's own hour, day or month
--   n_checks: checks made of the decision, count
--   n_checks_passed: checks of n_checks that passed, count
--   is_every_check_passed: whether none failed; missing where none was made
--   failed_checks: the checks that failed, one sentence each; missing where none did
--   reason: why, in one sentence
--   decided_at_utc: when this was first decided; recomputing to the same end keeps it, UTC
--   unlikely_checks: the check that passed but would so rarely by chance (below 0.01) that people look at it;
--     missing where there is none
--   experiment: name of the experiment; `experiment` where the file has a single one
--   is_claimed: whether what is sent is shown to beat the control
--   claim: what is shown of all variants, in one sentence
--   due_at_utc: when the pilot's last unit is mature; nothing is decided before, UTC
--   phase: phase of the newest window: hold or paused (nothing is sent), ended, pilot, wave and its number, or rest
--   plan_version: number of the plan that the decision was made with, from 1
--   plan_sha256: hash of the plan that the decision was made with; missing where older versions decided
--   paused_since_utc: since when the file pauses it, as of the newest window, UTC; missing elsewhere
WITH newest AS (
    SELECT DISTINCT ON (problem, experiment)
        problem,
        experiment,
        plan_sha256
    FROM core.experiment_decision
    ORDER BY
        problem,
        experiment,
        partition_key DESC
),
decision AS (
    SELECT DISTINCT ON (problem, experiment)
        problem,
        experiment,
        partition_key,
        outcome,
        variant,
        best_probability,
        expected_loss_ratio,
        is_final,
        reason,
        is_claimed,
        claim,
        due_at_utc,
        decided_at_utc,
        plan_sha256
    FROM core.experiment_decision AS d
    WHERE
        d.plan_sha256 IS NOT DISTINCT FROM (
            SELECT n.plan_sha256
            FROM newest AS n
            WHERE n.problem = d.problem AND n.experiment = d.experiment
        )
    ORDER BY
        problem,
        experiment,
        is_final DESC,
        CASE WHEN is_final THEN partition_key END ASC,
        partition_key DESC
),
checks AS (
    SELECT
        problem,
        experiment,
        partition_key,
        COUNT(*) AS n_checks,
        COUNT(*) FILTER (WHERE is_pass) AS n_checks_passed,
        STRING_AGG(detail, ' ' ORDER BY check_name) FILTER (WHERE NOT is_pass) AS failed_checks,
        STRING_AGG(detail, ' ' ORDER BY check_name)
            FILTER (WHERE is_pass AND check_name = 'sample_ratio' AND value < 0.01) AS unlikely_checks
    FROM core.experiment_check
    GROUP BY
        problem,
        experiment,
        partition_key
),
lift AS (
    SELECT DISTINCT ON (problem, experiment, kind, variant)
        problem,
        experiment,
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
        experiment,
        kind,
        variant,
        partition_key DESC
),
phase AS (
    SELECT DISTINCT ON (problem, experiment)
        problem,
        experiment,
        phase,
        paused_since_utc
    FROM core.allocation
    ORDER BY
        problem,
        experiment,
        partition_key DESC
)
SELECT
    decision.problem,
    decision.outcome AS decision,
    CASE WHEN decision.is_claimed THEN decision.variant END AS winner,
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
    decision.decided_at_utc,
    checks.unlikely_checks,
    decision.experiment,
    decision.is_claimed,
    decision.claim,
    decision.due_at_utc,
    phase.phase,
    plan.version AS plan_version,
    decision.plan_sha256,
    phase.paused_since_utc
FROM decision
LEFT JOIN checks
    ON checks.problem = decision.problem
    AND checks.experiment = decision.experiment
    AND checks.partition_key = decision.partition_key
LEFT JOIN lift AS promised
    ON promised.problem = decision.problem
    AND promised.experiment = decision.experiment
    AND promised.variant = decision.variant
    AND promised.kind = 'promised'
LEFT JOIN lift AS realised
    ON realised.problem = decision.problem
    AND realised.experiment = decision.experiment
    AND realised.variant = decision.variant
    AND realised.kind = 'realised'
LEFT JOIN phase
    ON phase.problem = decision.problem
    AND phase.experiment = decision.experiment
LEFT JOIN core.experiment_plan AS plan
    ON plan.problem = decision.problem
    AND plan.experiment = decision.experiment
    AND plan.sha256 = decision.plan_sha256
