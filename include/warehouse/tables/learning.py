"""What was fitted, how good it is, and who put it into production."""

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

MODEL_VERSION = Table(
    "model_version",
    METADATA,
    problem_key(),
    text("model_version", "name of the version; sorts by age within a problem", key=True),
    text("model_name", "candidate that was fitted"),
    text("trained_through", "last data partition whose rows it has seen"),
    text("snapshot_id", "Iceberg snapshot of the training rows"),
    moment("labels_as_of_utc", "labels known at this moment were used; for labels from the log, the newest event time"),
    count("n_train", "rows fitted on"),
    count("n_calibrate", "rows calibrated on; the same rows, out of fold, where people give the labels"),
    count("n_evaluate", "held-out rows measured on"),
    text("artifact_url", "name of the skops file in the problem's folder below the models' URL"),
    text("artifact_sha256", "hash of the stored bytes"),
    text(
        "heldout_sha256",
        "hash of the stored answers about held-out rows; missing where it was not kept yet",
        nullable=True,
    ),
    text("status", "candidate; promoted or rejected by the gate or a person; awaiting_approval; rolled_back"),
    number(
        "threshold_ratio",
        "probability from which on the positive class is acted on, 0..1; missing where there are several classes",
        nullable=True,
    ),
    number(
        "ask_from_ratio", "a person is asked from this probability on, 0..1; missing where nobody is", nullable=True
    ),
    number("ask_until_ratio", "a person is asked below this probability, 0..1; missing as above", nullable=True),
    text("calibration", "map from score to probability that was chosen: none, sigmoid, ...", nullable=True),
    count("n_left_out", "rows left out because they belong with rows on another side of the split", nullable=True),
    document("feature_auc", "feature to how well it ranks the fitted rows all by itself, 0.5..1"),
    document("features", "names of the features, in order"),
    document("parameters", "settings of the fit, and its seed"),
    moment("trained_at_utc", "when the fit ended"),
    moment(
        "rows_erased_at_utc",
        "when the snapshot of its training rows was removed, because a person was erased; missing if never",
        nullable=True,
    ),
    count("n_withdrawn", "of its training rows, those whose object was withdrawn since", nullable=True),
    moment(
        "rows_withdrawn_at_utc",
        "when rows it was trained on were found to be withdrawn; missing if never",
        nullable=True,
    ),
    comment="One row per fitted model.",
)

MODEL_LOG = Table(
    "model_log",
    METADATA,
    problem_key(),
    text("model_version", "version that has read it", key=True),
    text("log", "name of the other log in sources", key=True),
    text("snapshot_id", "Iceberg snapshot of the log's rows; missing where it had none", nullable=True),
    moment(
        "known_until_utc", "event time up to which the log was known; missing where it was not at all", nullable=True
    ),
    document("holes", "start and end of each partition before that which was refused, as ISO 8601 in UTC"),
    comment="One row per fitted model and other log that its rows were joined with.",
)

LABEL_MATCH = Table(
    "label_match",
    METADATA,
    text("problem", "name of the label log: of the problem file and the log, with a point between", key=True),
    partition_key(),
    count("n_labels", "rows of this partition of the label log"),
    count("n_matched", "of these, within the period after the event of a row they name"),
    count("n_late", "of these, later than the period after every event they name; they label nothing"),
    count("n_before", "of these, before every event they name; they label nothing"),
    count("n_unmatched", "of these, with a key that no row has"),
    count("n_without_key", "of these, without a key"),
    count("n_repeated", "of those matched, about a row that has another label, too"),
    moment("matched_at_utc", "when it was counted"),
    comment="One row per partition of a log that gives labels.",
)

MODEL_EVENT = Table(
    "model_event",
    METADATA,
    problem_key(),
    text("model_version", "version it is about", key=True),
    text("event", "promoted, rejected, awaiting_approval or rolled_back", key=True),
    moment("event_at_utc", "when", key=True),
    text("actor", "person or DAG run that did it"),
    text("reason", "why, in one sentence"),
    text("serves_from", "first data partition it scores, until a later version takes over; empty means all of them"),
    comment="Who put which model into production, when and why; rows are only ever added.",
)

MODEL_METRIC = Table(
    "model_metric",
    METADATA,
    problem_key(),
    text("model_version", "version whose training measured it", key=True),
    text("candidate", "dummy, the rule's name, the uncalibrated or the calibrated model, or the champion", key=True),
    text(
        "metric",
        "auc, log_loss, brier, ece or expected_profit; of a quantity mae, rmse, bias, pinball, coverage, width and "
        "expected_profit; one without an answer has no row",
        key=True,
    ),
    number("value", "the metric; expected_profit is per row, in the problem's unit"),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    count("n_rows", "held-out rows"),
    comment="One row per version, candidate and metric, all on the same held-out rows.",
)

GATE_CHECK = Table(
    "gate_check",
    METADATA,
    problem_key(),
    text("model_version", "version that was examined", key=True),
    text("check_name", "what was asked", key=True),
    flag("is_pass", "whether it may be promoted for all this check knows"),
    number("value", "what was seen", nullable=True),
    number("bound", "what was allowed", nullable=True),
    text("detail", "the check in one sentence, with its numbers"),
    comment="Every check a version met before it was promoted or rejected.",
)

LEARNING_CURVE = Table(
    "learning_curve",
    METADATA,
    problem_key(),
    text("model_version", "training at which this was measured", key=True),
    text("arm", "all (entropy and random) or random: whose labels were used", key=True),
    text("metric", "auc, log_loss or brier", key=True),
    count("n_labels", "labels used"),
    number("value", "the metric on held-out random-arm rows"),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    comment="What the labels of each arm were good for, round by round.",
)

SCORED_PARTITION = Table(
    "scored_partition",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "version whose predictions stand in the lake"),
    count("n_rows", "rows scored"),
    text("snapshot_id", "Iceberg snapshot that holds the predictions"),
    moment("scored_at_utc", "when the rows that were scored had been read"),
    comment="One row per partition that has predictions, and the model they are from.",
)

MODEL_CHOICE = Table(
    "model_choice",
    METADATA,
    problem_key(),
    text("model_version", "version that was chosen from these", key=True),
    text("candidate", "model", key=True),
    text("calibration", "map from its score to a probability", key=True),
    number("log_loss_nats", "mean log loss on rows that neither was fitted on; missing for a quantity", nullable=True),
    number("cost", "mean cost a row of planning with it, in the unit of value; missing for classes", nullable=True),
    count("n_rows", "those rows"),
    flag("is_chosen", "whether this one became the version"),
    comment="Every candidate with every calibrator, measured before the held-out rows were looked at.",
)

SCORECARD_TERM = Table(
    "scorecard_term",
    METADATA,
    problem_key(),
    text("model_version", "version whose training fitted the scorecard", key=True),
    text("feature", "column of the problem", key=True),
    text("term", "category; empty for a number", key=True),
    number("odds_ratio", "the odds of the positive class are multiplied by this, above 0"),
    number("step", "for so much more of a number, one standard deviation in its own unit", nullable=True),
    number("vif_ratio", "variance inflation by the other numbers, at least 1; missing where exact", nullable=True),
    comment="One row per line of a scorecard, the linear candidate that people can read.",
)

CALIBRATION_GAIN = Table(
    "calibration_gain",
    METADATA,
    problem_key(),
    partition_key(),
    text("model_version", "version that scored the partition", key=True),
    count("n_rows", "rows whose label is known"),
    number("ece_ratio", "calibration error of what it said, 0..1, 10 bins"),
    number("ece_uncalibrated_ratio", "calibration error of its scores before calibration, 0..1"),
    number("log_loss_nats", "mean log loss of what it said"),
    number("log_loss_uncalibrated_nats", "mean log loss of its scores before calibration"),
    comment="What calibration was good for on later data: one row per scored partition with known labels.",
)
