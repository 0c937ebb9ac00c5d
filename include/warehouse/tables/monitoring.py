"""Whether what the models say still happens, what moved, and who was told."""

from sqlalchemy import Table

from include.warehouse.tables.base import (
    METADATA,
    calibration_figures,
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
    text(
        "label_kind", "two_classes, several_classes, several_labels, quantity; missing without a label", nullable=True
    ),
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

CALIBRATION_CURVE = Table(
    "calibration_curve",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    count("point_index", "point of the curve, from 0, the lowest prediction first", key=True),
    number("predicted_ratio", "predicted probability at the point, 0..1"),
    number("recalibrated_ratio", "share that happens there, by the rising curve that fits best (CORP), 0..1"),
    number("band_low", "lower end of where 90 of 100 curves of a faultless model lie at this point, 0..1"),
    number("band_high", "upper end of where 90 of 100 curves of a faultless model lie at this point, 0..1"),
    count("n_rows", "labelled rows predicted at the point, or between it and the one before"),
    count("n_positive", "those of them that are positive"),
    comment="The calibration curve of each monitored partition and model, with its consistency band.",
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
    number("ece_equal_count_ratio", "expected calibration error over 10 bins of equal count, 0..1", nullable=True),
    number(
        "ece_equal_count_chance_ratio",
        "that error which a faultless model exceeds once in a thousand partitions",
        nullable=True,
    ),
    number(
        "error_ratio",
        "root of the mean squared calibration error over bins of equal count, chance taken off, 0..1",
        nullable=True,
    ),
    number("error_high_ratio", "the true one is below it with 95 % confidence", nullable=True),
    number(
        "relative_error_ratio", "error_ratio for each share of 1 that is positive; missing where none is", nullable=True
    ),
    number(
        "calibration_slope",
        "of the log-odds of what happens on those predicted; 1 is faultless, below 1 too sure",
        nullable=True,
    ),
    number("calibration_intercept", "of the same line; 0 is faultless, below 0 predicts too much", nullable=True),
    number("brier_score", "mean squared error of the probability, 0..1", nullable=True),
    number("log_loss_nats", "mean negative log likelihood, in nats", nullable=True),
    number("auc_ratio", "area under the ROC curve, 0..1", nullable=True),
    *calibration_figures(),
    moment("measured_at_utc", "when"),
    comment="One row per monitored partition and model; figures are missing while no label is known.",
)

PERFORMANCE_ESTIMATE = Table(
    "performance_estimate",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    text("metric", "positive_ratio, brier_score, log_loss_nats, or profit (a row, in the problem's unit)", key=True),
    text("label_arm", "log: recorded outcomes; random: answers about items that chance chose"),
    count("n_rows", "scored rows whose prediction is kept"),
    number("estimate", "what the metric is expected to be over all of them, said without a label", nullable=True),
    number("standard_error", "of chance in their labels alone, in the metric's unit", nullable=True),
    count("n_labelled", "scored rows with a known label"),
    number("labelled_estimate", "what was to be expected of the labelled rows, without their labels", nullable=True),
    number("labelled_standard_error", "of chance in those labels alone, in the metric's unit", nullable=True),
    number("actual", "what the metric was over the labelled rows", nullable=True),
    comment="What each model's probabilities promise of a partition, and what labels said afterwards.",
)

FEATURE_DRIFT = Table(
    "feature_drift",
    METADATA,
    problem_key(),
    partition_key(),
    text("feature", "column; p_positive or said: for what the model says", key=True),
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
    number(
        "unseen_ratio", "share of values outside the range of the reference, or that it never had, 0..1", nullable=True
    ),
    number(
        "unseen_chance_ratio",
        "share that sampling alone exceeds once in a thousand comparisons of this size",
        nullable=True,
    ),
    number(
        "psi_rest_ratio", "stability index of the values without a bin of their own, among themselves", nullable=True
    ),
    number(
        "psi_rest_chance_ratio",
        "index of them that sampling alone exceeds once in a thousand comparisons of this size",
        nullable=True,
    ),
    number(
        "hellinger_ratio",
        "Hellinger distance over the reference's bins, 0 is no change, 1 nothing in common",
        nullable=True,
    ),
    number("linf_ratio", "change of share of the bin that moved most, 0..1", nullable=True),
    number(
        "ks_ratio", "largest gap of the cumulated shares where bins end, 0..1; missing of a category", nullable=True
    ),
    number("ks_high_ratio", "largest gap that there may be anywhere, 0..1; missing of a category", nullable=True),
    number("wasserstein", "how far a row moved on average, in the column's unit; missing of a category", nullable=True),
    number(
        "wasserstein_error",
        "the true one is at most so far away, in the column's unit; missing of a category",
        nullable=True,
    ),
    number("cramers_v_ratio", "effect size of the chi-square test over the bins, 0..1", nullable=True),
    number("chi_square_p_value", "chance of bins so far apart where nothing has moved, 0..1", nullable=True),
    number(
        "chi_square_q_value",
        "the same, corrected for the columns of the partition (Benjamini, Hochberg), 0..1",
        nullable=True,
    ),
    text("verdict", "stable, moved (above the problem's threshold and above chance) or too_few_rows"),
    document("bins", "per bin: name, rows in the partition, rows in the reference"),
    comment="How far each feature moved from the reference.",
)

ALERT = Table(
    "alert",
    METADATA,
    problem_key(),
    partition_key(),
    text(
        "alert_id",
        "cause: drift, output_drift, calibration, calibration of one class, coverage, first_model, or the desk's own",
        key=True,
    ),
    text("metric", "error_ratio, relative_error_ratio, coverage_ratio, psi_ratio, psi_rest_ratio, unseen_ratio"),
    text("subject", "model version, or the features that are worst of it"),
    number("value", "what was seen of the worst, in the unit of the metric"),
    number("bound", "what was allowed of the worst, in the unit of the metric"),
    text("action", "warn, escalate or retrain; review for an overdue batch"),
    text("message", "the alert as a person reads it"),
    moment("opened_at_utc", "when it was first raised"),
    document(
        "findings", "what it is about, the worst first: subject, metric, value and bound of each; null at the desk"
    ),
    count(
        "n_watched", "features of this cause that were measured in the partition; missing at the desk", nullable=True
    ),
    comment="One row per partition and cause, with its features inside; measuring again never opens it twice.",
)

ALERT_EVENT = Table(
    "alert_event",
    METADATA,
    problem_key(),
    text("alert_id", "cause, as in core.alert", key=True),
    count("event_number", "from 1, in the order in which it happened to this cause", key=True),
    text("event", "opened, escalated, snoozed, retrain_asked, retrained (a version was decided since) or closed"),
    text("partition_key", "the newest partition that showed it; of closed by itself, the one that was fine again"),
    flag("is_by_person", "whether a person did it; else the stage monitor did"),
    text("actor", "who: the login of a person, or monitor"),
    text("reason", "why, in that person's words; of monitor, a sentence"),
    moment("until_utc", "until when it is put off; of snoozed only", nullable=True),
    text("metric", "of the worst that was seen, as in core.alert"),
    text("subject", "model version, or the features that were worst of it"),
    number("value", "what was seen of the worst, in the unit of the metric"),
    number("bound", "what was allowed of the worst, in the unit of the metric"),
    moment("happened_at_utc", "when it happened, by the clock of whoever wrote it"),
    comment="The life of each alert: what happened to it, who did it, when and why. Rows are added, never changed.",
)

ALERT_MESSAGE = Table(
    "alert_message",
    METADATA,
    problem_key(),
    text("alert_id", "cause, as in core.alert", key=True),
    count("event_number", "what happened, as in core.alert_event", key=True),
    text("recipient", "owner or on_call, as monitor.tell names them", key=True),
    text("channel", "mail or webhook", key=True),
    text("status", "waiting, told, given_up, or silent: it was snoozed before anybody was told"),
    count("n_attempts", "times that it was tried to send it"),
    moment("next_attempt_at_utc", "not tried again before; of what waits"),
    moment("told_at_utc", "when the server took it; missing where none has", nullable=True),
    text("last_error", "why it was not taken the last time; missing where it was", nullable=True),
    comment="The messages about alerts: written with what happened, sent afterwards, each once where servers answer.",
)
