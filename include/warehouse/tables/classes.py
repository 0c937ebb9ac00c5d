"""What is known of single classes, where a problem has several of them or several labels for one row."""

from sqlalchemy import Table

from include.warehouse.tables.base import (
    METADATA,
    calibration_figures,
    count,
    document,
    moment,
    number,
    partition_key,
    problem_key,
    text,
)

CLASS_METRIC = Table(
    "class_metric",
    METADATA,
    problem_key(),
    text("model_version", "version whose training measured it", key=True),
    text("candidate", "dummy, the uncalibrated or the calibrated model, another candidate, or the champion", key=True),
    text("class_name", "class or label, each against all others", key=True),
    text("metric", "auc, log_loss, brier, ece, precision or recall; one without an answer has no row", key=True),
    number("value", "the metric; log_loss in nats, the others 0..1"),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    count("n_rows", "held-out rows of the class"),
    comment="One row per version, candidate, class and metric, all on the same held-out rows.",
)

CONFUSION = Table(
    "confusion",
    METADATA,
    problem_key(),
    text("model_version", "version that was asked", key=True),
    text("true_class", "what held-out rows are; of several labels also `not` the label", key=True),
    text("said_class", "what the model takes them for: its likeliest class, or a label from 0.5 on", key=True),
    count("n_rows", "rows of this pair"),
    number("share_ratio", "share of the rows of the true class, 0..1"),
    number("low", "lower end of the 95 % Wilson interval of the share"),
    number("high", "upper end of the 95 % Wilson interval of the share"),
    comment="One row per version and pair of classes of which the true one has held-out rows.",
)

CLASS_CALIBRATION = Table(
    "class_calibration",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "model that scored the partition", key=True),
    text("class_name", "class or label, against all others", key=True),
    text("label_arm", "log: recorded outcomes; random: answers about items that chance chose"),
    count("n_rows", "scored rows whose prediction is kept"),
    count("n_labelled", "scored rows with a known label"),
    count("n_positive", "labelled rows of the class"),
    number("positive_ratio", "share of labelled rows that are of the class", nullable=True),
    number("mean_predicted_ratio", "mean predicted probability of the class over labelled rows", nullable=True),
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
        "relative_error_ratio",
        "error_ratio for each share of 1 that is of the class; missing where none is",
        nullable=True,
    ),
    number(
        "calibration_slope",
        "of the log-odds of what happens on those predicted; 1 is faultless, below 1 too sure",
        nullable=True,
    ),
    number("calibration_intercept", "of the same line; 0 is faultless, below 0 predicts too much", nullable=True),
    number("brier_score", "mean squared error of the probability of the class, 0..1", nullable=True),
    number("log_loss_nats", "mean negative log likelihood of the class against the rest, in nats", nullable=True),
    number("auc_ratio", "area under the ROC curve of the class against the rest, 0..1", nullable=True),
    *calibration_figures(),
    moment("measured_at_utc", "when"),
    comment="One row per monitored partition, model and class; figures are missing while no label is known.",
)

FILLED_LABEL = Table(
    "filled_label",
    METADATA,
    problem_key(),
    partition_key(),
    text("item_id", "row key in the lake of the row whose label is not known", key=True),
    text("model_version", "model that filled it in"),
    text(
        "label",
        "likeliest class, or the labels that are acted on with a comma between them, empty is none; of a quantity the "
        "number",
    ),
    number(
        "confidence_ratio",
        "probability that exactly this is true, 0..1, labels taken to be independent; of a quantity that it lies "
        "between low and high",
    ),
    text("action", "what pays most; `ask a person` where asking pays; of a quantity the number to plan with"),
    document("class_probabilities", "class or label to its probability, 0..1; missing for a quantity"),
    number("low", "lower end of a quantity's interval; missing for classes", nullable=True),
    number("high", "upper end of a quantity's interval; missing for classes", nullable=True),
    text("unit", "of a quantity; missing for classes", nullable=True),
    moment("filled_at_utc", "when the partition was scored"),
    comment="One row per scored row without a known label, of problems with several classes or labels, or a quantity.",
)
