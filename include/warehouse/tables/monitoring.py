"""Whether what the models say still happens, what moved, and who was told."""

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

PROBLEM = Table(
    "problem",
    METADATA,
    problem_key(),
    text("title", "what it is about, for people"),
    text("owner", "who answers for it"),
    text("grain", "hour, day or month: the size of its partitions"),
    text("positive_label", "class that the models look for; missing without a label", nullable=True),
    text("value_unit", "unit of every expected profit; missing without a value section", nullable=True),
    count("minimum_rows", "rows that a partition needs before it may raise an alert, or end one"),
    moment("seen_at_utc", "when the problem file was last read"),
    comment="One row per monitored problem: what the views need to know of its file.",
)

CALIBRATION_BIN = Table(
    "calibration_bin",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    count("bin_index", "bin of equal width, from 0", key=True),
    number("bin_low", "lower edge, probability"),
    number("bin_high", "upper edge, probability"),
    count("n_rows", "labelled rows in the bin"),
    count("n_positive", "those of them that are positive"),
    number("mean_predicted_ratio", "mean predicted probability, 0..1"),
    number("observed_ratio", "share that happened, 0..1"),
    number("low", "lower end of the 95 % Wilson interval of the observed share"),
    number("high", "upper end of the 95 % Wilson interval of the observed share"),
    comment="Reliability bins; empty bins have no row.",
)

CALIBRATION_SUMMARY = Table(
    "calibration_summary",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    text("label_arm", "log: recorded outcomes; random: answers about items that chance chose"),
    count("n_rows", "scored rows whose prediction is kept"),
    count("n_labelled", "scored rows with a known label"),
    count("n_positive", "labelled rows that are positive"),
    number("positive_ratio", "share of labelled rows that are positive", nullable=True),
    number("mean_predicted_ratio", "mean predicted probability over labelled rows", nullable=True),
    number("ece_ratio", "expected calibration error over 10 bins of equal width, 0..1", nullable=True),
    number("ece_chance_ratio", "error that a faultless model exceeds once in a thousand partitions", nullable=True),
    number("brier_score", "mean squared error of the probability, 0..1", nullable=True),
    number("log_loss_nats", "mean negative log likelihood, in nats", nullable=True),
    number("auc_ratio", "area under the ROC curve, 0..1", nullable=True),
    moment("measured_at_utc", "when"),
    comment="One row per monitored partition and model; figures are missing while no label is known.",
)

FEATURE_DRIFT = Table(
    "feature_drift",
    METADATA,
    problem_key(),
    partition_key(),
    text("feature", "column, or p_positive for the model's own output", key=True),
    text("reference", "partitions compared against, first..last; for p_positive, those that the same model scored"),
    flag("is_in_reference", "whether this partition is one of them; it is measured, and never an alert"),
    count("n_rows", "rows in the partition"),
    count("n_reference", "rows in the reference"),
    count("n_bins", "bins with rows on either side, missing values counted as one"),
    number("psi_ratio", "population stability index over the reference's bins, 0 is no change"),
    number("psi_chance_ratio", "index that sampling alone exceeds once in a thousand comparisons of this size"),
    number("js_ratio", "Jensen-Shannon distance (base 2), 0..1"),
    number("missing_ratio", "share of missing values, 0..1"),
    number("reference_missing_ratio", "share of missing values in the reference, 0..1"),
    text("verdict", "stable, moved (above the problem's threshold and above chance) or too_few_rows"),
    document("bins", "per bin: name, rows in the partition, rows in the reference"),
    comment="How far each feature moved from the reference.",
)

ALERT = Table(
    "alert",
    METADATA,
    problem_key(),
    partition_key(),
    text("alert_id", "cause: calibration, drift of one feature, or review_overdue", key=True),
    text("metric", "ece_ratio or psi_ratio"),
    text("subject", "model version or feature"),
    number("value", "what was seen"),
    number("bound", "what was allowed"),
    text("action", "warn, escalate or retrain; review for an overdue batch"),
    text("message", "the alert as a person reads it"),
    moment("opened_at_utc", "when it was first raised"),
    comment="One row per partition and cause; measuring again never opens it twice.",
)
