"""Which variant went to whom, what came of it, and what was decided."""

from sqlalchemy import Table

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

VARIANT_SUM = Table(
    "variant_sum",
    METADATA,
    problem_key(),
    partition_key(),
    text("phase", "pilot, rest or holdback", key=True),
    text("variant", "what was sent", key=True),
    count("n_units", "units exposed until the end of this partition"),
    count("n_mature", "units that agree with the policy and whose attribution window had elapsed"),
    count("n_rewarded", "mature units with a reward inside their window"),
    count("n_off_policy", "units exposed before the decision or to another variant than decided; counted, never used"),
    comment="Running sums per window, phase and variant: all that the decision sees.",
)

EXPERIMENT_EXCLUSION = Table(
    "experiment_exclusion",
    METADATA,
    problem_key(),
    partition_key(),
    text("reason", "why it cannot be counted", key=True),
    count("n_rows", "units, or for a reward or record without a unit, log rows, until the end of this partition"),
    comment="What the log holds and no sum counts, by reason; a reason that never occurs has no row.",
)

ALLOCATION = Table(
    "allocation",
    METADATA,
    problem_key(),
    partition_key(),
    text("phase", "pilot or rest", key=True),
    text("variant", "what to send", key=True),
    number("share_ratio", "share of the units, 0..1; the shares of a phase sum to 1"),
    comment="The shares in force after this partition.",
)

EXPERIMENT_CHECK = Table(
    "experiment_check",
    METADATA,
    problem_key(),
    partition_key(),
    text("check_name", "sample_ratio, maturity or minimum_units", key=True),
    flag("is_pass", "whether a decision may be taken for all this check knows"),
    number("value", "what was seen", nullable=True),
    number("bound", "what was allowed", nullable=True),
    text("detail", "the check in one sentence, with its numbers"),
    comment="Every check before a decision, with its number.",
)

EXPERIMENT_DECISION = Table(
    "experiment_decision",
    METADATA,
    problem_key(),
    partition_key(),
    text("outcome", "wait, blocked, winner or no_winner"),
    text("variant", "what the rest gets; the control when there is no winner", nullable=True),
    number("best_probability", "posterior probability that the front runner is the best, 0..1", nullable=True),
    number("expected_loss_ratio", "reward rate expected to be lost by sending the front runner, 0..1", nullable=True),
    flag("is_final", "whether this is the decision in force"),
    document("posterior", "per variant: mature units, rewards, mean and interval, probability of being best"),
    text("reason", "why, in one sentence"),
    moment("decided_at_utc", "when this was first decided; recomputing to the same end keeps it"),
    comment="What was decided after each window; once final, later windows repeat it.",
)

EXPERIMENT_LIFT = Table(
    "experiment_lift",
    METADATA,
    problem_key(),
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
