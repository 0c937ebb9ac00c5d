"""Which variant went to whom, what came of it, and what was decided."""

from sqlalchemy import Column, Table

from include.warehouse.tables.base import (
    METADATA,
    count,
    document,
    flag,
    moment,
    number,
    partition_key,
    problem_key,
    text,
)


def experiment_key(*, key: bool = True) -> Column[str]:
    """Declare which experiment of the problem a row is about."""
    return text("experiment", "name of the experiment; `experiment` where the file has a single one", key=key)


VARIANT_SUM = Table(
    "variant_sum",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("phase", "pilot, wave, rest or holdback", key=True),
    text("variant", "what was sent", key=True),
    count("n_units", "units exposed until the end of this partition"),
    count("n_mature", "units that agree with the policy and whose attribution window had elapsed"),
    count("n_rewarded", "mature units with a reward inside their window"),
    count("n_off_policy", "units exposed before the decision or to another variant than decided; counted, never used"),
    count("n_clusters", "what was drawn together; missing without clusters, as all that follows", nullable=True),
    count("n_mature_clusters", "of these, clusters with mature units: m of each, y rewarded", nullable=True),
    number("sum_mature_squares", "sum of m times m over clusters", nullable=True),
    number("sum_mature_rewarded", "sum of m times y", nullable=True),
    number("sum_rewarded_squares", "sum of y times y", nullable=True),
    number("design_effect", "variance of the rate over that of units drawn one by one, from 1 on", nullable=True),
    comment="Running sums per window, phase and variant: all that the decision sees.",
)

EXPERIMENT_EXCLUSION = Table(
    "experiment_exclusion",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("reason", "why it cannot be counted", key=True),
    text("variant", "variant as the log writes it, known or not; empty where the row names none", key=True),
    text("seen_on", "UTC day of the exposure, of the reward or of the record", key=True),
    count("n_rows", "units, or for a reward or record without a unit, log rows, until the end of this partition"),
    comment="What the log holds and no sum counts, by reason, variant and day; what never occurs has no row.",
)

ALLOCATION = Table(
    "allocation",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    count("place", "order of the ranges, from 0", key=True),
    text("phase", "hold, paused or ended (nothing is sent), pilot, wave and its number, or rest"),
    text("variant", "what to send; missing in hold", nullable=True),
    number("share_ratio", "share of the units, 0..1; the shares of a window sum to 1; missing in hold", nullable=True),
    number("low", "units whose place is from here on get the variant, 0..1; missing in hold", nullable=True),
    number("high", "and below here; missing in hold", nullable=True),
    moment("paused_since_utc", "since when the file pauses it; missing elsewhere", nullable=True),
    comment="What is sent after this partition: ranges of the units' places that touch; one empty row in hold.",
)

EXPERIMENT_CHECK = Table(
    "experiment_check",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text(
        "check_name",
        "sample_ratio, exclusions, maturity, minimum_units, minimum_rewards or guardrail_<metric>",
        key=True,
    ),
    flag("is_pass", "whether a decision may be taken for all this check knows"),
    number("value", "what was seen", nullable=True),
    number("bound", "what was allowed", nullable=True),
    text("detail", "the check in one sentence, with its numbers"),
    text("advice", "what to look at or do; empty where nothing is needed"),
    comment="Every check before a decision, with its number.",
)

EXPERIMENT_DECISION = Table(
    "experiment_decision",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("outcome", "wait, blocked, ask, send or keep_control"),
    text("variant", "what the rest gets; missing while nothing is decided", nullable=True),
    number("best_probability", "posterior probability that what is sent is the best, 0..1", nullable=True),
    number("expected_loss_ratio", "expected loss per unit: rewards, or money where priced", nullable=True),
    flag("is_final", "whether this is the decision in force"),
    document("posterior", "per variant: mature units, rewards, mean and interval, probability of being best"),
    text("reason", "why, in one sentence"),
    flag("is_claimed", "whether what is sent is shown to beat the control", nullable=True),
    text("claim", "what is shown of all variants, in one sentence", nullable=True),
    text("asked_variant", "what a person is asked about; missing where nobody is", nullable=True),
    text("record_sha256", "record that the question is about; missing where nobody is asked", nullable=True),
    text("plan_sha256", "plan that it was made with; missing where older versions decided", nullable=True),
    moment("due_at_utc", "when the pilot's last unit is mature; nothing is decided before", nullable=True),
    moment("decided_at_utc", "when this was first decided; recomputing to the same end keeps it"),
    flag("is_stale", "whether the window is to be done again; missing is no", nullable=True),
    comment="What was decided after each window; once final, later windows repeat it.",
)

EXPERIMENT_QUESTION = Table(
    "experiment_question",
    METADATA,
    problem_key(),
    text("run_id", "Airflow run that asked; its approval shows this question, also after it was cleared", key=True),
    experiment_key(key=False),
    text("record_sha256", "of plan, counts, losses and checks that the question rests on: 64 hexadecimal digits"),
    text("plan_sha256", "plan that it was asked with; an answer holds while this is the plan"),
    text("partition_key", "window that was asked about; once answered, the first one that the answer decides"),
    text("variant", "what the approver is asked to send in place of the control"),
    moment("asked_at_utc", "when it was asked"),
    moment("answer_by_utc", "when there is no time left to answer, and the control is kept"),
    flag("is_approved", "whether it is sent; missing while nobody answered", nullable=True),
    text("answered_by", "who answered, or the run where time ran out; missing before", nullable=True),
    text("reason", "the answer in one sentence; missing before", nullable=True),
    moment("answered_at_utc", "when it was answered; missing before", nullable=True),
    comment="What people were asked where the best variant is practically as good as the control, and their answers.",
)

OFF_POLICY_ESTIMATE = Table(
    "off_policy_estimate",
    METADATA,
    problem_key(),
    experiment_key(),
    text("policy", "what is evaluated: a variant sent to everybody, uniform (all alike) or as_logged", key=True),
    text("estimator", "ips, snips, dm, dr or switch_dr", key=True),
    partition_key(key=False),
    number("value", "reward rate under the policy; missing where the log never did what it does", nullable=True),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    count("n_units", "mature units with a propensity"),
    count("n_left_out", "mature units without a propensity above 0 and at most 1; counted, never used"),
    number("n_effective_units", "units that would know as much if drawn by the policy, 0..n_units"),
    number("largest_weight", "how much more often than the log the policy sends what a unit got, at most"),
    number("mean_weight", "of all units; near 1 where the propensities are true"),
    number("low_mean_weight", "lower end of its 95 % interval"),
    number("high_mean_weight", "upper end; where both lie on one side of 1, the propensities are not true"),
    comment="What other policies would have earned, from the units up to the newest window.",
)

EXPERIMENT_RUNNING_SUM = Table(
    "experiment_running_sum",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("state", "name of the log, plan and decision that the sums rest on: 64 hexadecimal digits"),
    document("running", "sums by phase and variant, and what was left out by reason, variant and day", nullable=False),
    comment="What the newest two windows counted, for the next one to go on from; no unit is named.",
)

EXPERIMENT_PLAN = Table(
    "experiment_plan",
    METADATA,
    problem_key(),
    experiment_key(),
    count("version", "from 1 on, in the order in which they were first used", key=True),
    text("sha256", "of the plan: 64 hexadecimal digits"),
    document("plan", "what the file said of the experiment, with every default", nullable=False),
    moment("written_at_utc", "when a window was first done with it"),
    comment="Every version of an experiment's plan; a decision keeps the one that it was made with.",
)

EXPERIMENT_VARIANT = Table(
    "experiment_variant",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("variant", "what may be sent", key=True),
    count("n_units", "units exposed in the pilot until the end of this partition"),
    count("n_mature", "of these, units whose attribution window had elapsed"),
    count("n_rewarded", "of these, rewarded inside their window"),
    number("rate_ratio", "share of mature units that were rewarded, 0..1", nullable=True),
    number("rate_low", "lower end of its 95 % interval", nullable=True),
    number("rate_high", "upper end of its 95 % interval", nullable=True),
    number("lift_ratio", "rate less that of the control, -1..1; missing of the control", nullable=True),
    number("shrunk_lift_ratio", "the same without the luck of the best: what to expect", nullable=True),
    number(
        "low",
        "lower end of the lift's band; all bands together hold with the file's claim.level",
        nullable=True,
    ),
    number("high", "upper end of the band", nullable=True),
    number("low_any_look", "lower end of the band that holds at every look together", nullable=True),
    number("high_any_look", "its upper end", nullable=True),
    number("p_value", "two-sided, times the number of comparisons, at most 1", nullable=True),
    text("verdict", "control, better, worse or unclear"),
    number("best_probability", "posterior probability that its rate is the highest, 0..1", nullable=True),
    number("expected_loss", "per unit against the best, in rewards, or money where priced", nullable=True),
    flag("is_sent", "whether the rest gets it"),
    comment="Every variant of the pilot beside the control, whether something wins or not; once a window.",
)

EXPERIMENT_METRIC = Table(
    "experiment_metric",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("metric", "name of the metric in the file", key=True),
    text("role", "primary, secondary or guardrail", key=True),
    text("variant", "what may be sent", key=True),
    text("kind", "binary, count, sum or ratio"),
    flag("is_lower_better", "whether less is better"),
    count("n_mature", "units of the pilot whose number is known, as of the end of this partition"),
    count("n_unread", "log rows whose number is missing or none; they count as 0"),
    count("n_drawn", "what was drawn and is known: units, or clusters of them"),
    number("sum_y", "sum of what is measured over what was drawn, in the metric's unit"),
    number("sum_m", "sum of what it is measured by: units, or the ratio's denominator"),
    number("sum_yy", "sum of the squares of y"),
    number("sum_mm", "sum of the squares of m"),
    number("sum_ym", "sum of y times m"),
    number("mean", "sum_y over sum_m, in the metric's unit", nullable=True),
    number("mean_low", "lower end of its 95 % interval", nullable=True),
    number("mean_high", "upper end of its 95 % interval", nullable=True),
    number("lift", "mean less that of the control; missing of the control", nullable=True),
    number("low", "lower end of the lift's band; a metric's bands together hold with claim.level", nullable=True),
    number("high", "upper end of the band", nullable=True),
    number("low_any_look", "lower end of the band that holds at every look together", nullable=True),
    number("high_any_look", "its upper end", nullable=True),
    number("p_value", "two-sided, times the number of comparisons, at most 1", nullable=True),
    text("verdict", "control, better, worse or unclear; better is what the file calls better"),
    number("margin", "of a guardrail: how much worse it may be, in the metric's unit", nullable=True),
    text("adjustment", "adjusted, or why not: ratio, unvaried or few; missing without a covariate", nullable=True),
    number(
        "covariate_weight", "in the metric's unit, what goes with 1 of the covariate before the exposure", nullable=True
    ),
    number("adjusted_lift", "lift without what was so before (CUPED); missing of the control", nullable=True),
    number("adjusted_low", "lower end of its band, which holds with claim.level as the plain one does", nullable=True),
    number("adjusted_high", "upper end of the band", nullable=True),
    comment="Every metric of every variant of the pilot beside the control; once a window.",
)

EXPERIMENT_LIFT = Table(
    "experiment_lift",
    METADATA,
    problem_key(),
    experiment_key(),
    partition_key(),
    text("kind", "promised (from the pilot) or realised (from the holdback)", key=True),
    text("variant", "the variant that was sent"),
    count("n_variant", "mature units that got it"),
    count("n_control", "mature units that got the control"),
    number("lift_ratio", "difference of the reward rates, -1..1"),
    number("low", "lower end of the 95 % interval"),
    number("high", "upper end of the 95 % interval"),
    comment="What the winner promised, and what it really added.",
)
