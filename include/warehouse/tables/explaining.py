"""What a fitted model is like: what matters to it, which groups it treats worse, its weak spots, and mined rules."""

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

FEATURE_IMPORTANCE = Table(
    "feature_importance",
    METADATA,
    problem_key(),
    text("model_version", "version that was asked", key=True),
    text("method", "permutation, ablation, mutual_information, l1_path or contribution", key=True),
    text("feature", "column of the problem, or a word of its text", key=True),
    number("rank", "place by this method, 1 matters most; equal values share the mean of their places"),
    number(
        "value",
        "permutation, ablation: log loss that is lost, nats a row; mutual_information: nats; contribution: mean size, "
        "log-odds; l1_path: penalty at which it enters, as a share of the largest, 0..1",
    ),
    number("low", "lower end of the 95 % interval; missing for l1_path", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    count("n_rows", "rows it was measured on"),
    comment="How much each feature matters, by several questions that need not agree.",
)

PARTIAL_DEPENDENCE = Table(
    "partial_dependence",
    METADATA,
    problem_key(),
    text("model_version", "version that was asked", key=True),
    text("feature", "column that was set", key=True),
    count("position", "place on the curve, from 0", key=True),
    text("value", "what it was set to in every row"),
    number("p_positive", "mean probability of the positive class, 0..1"),
    number("low", "lower end of its 95 % interval"),
    number("high", "upper end of its 95 % interval"),
    count("n_rows", "rows that were asked"),
    comment="How the mean probability moves when one feature is set and nothing else changes.",
)

LOCAL_EXPLANATION = Table(
    "local_explanation",
    METADATA,
    problem_key(),
    text("batch_id", "batch in which the item was shown", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    count("rank", "1 moved it most; 0 is where all items start, and everything that is not listed", key=True),
    text("model_version", "version whose uncertainty chose the batch"),
    text("feature", "column of the problem, or a word of its text"),
    number("contribution", "what it added to the log-odds before calibration; above 0 towards the positive class"),
    comment="Why the model said what it said about an item that people see; an item's rows sum to its log-odds.",
)

HELDOUT_BIN = Table(
    "heldout_bin",
    METADATA,
    problem_key(),
    text("model_version", "version that was measured", key=True),
    count("bin_index", "reliability bin of equal width, from 0", key=True),
    number("bin_low", "lower edge, 0..1"),
    number("bin_high", "upper edge, 0..1"),
    count("n_rows", "held-out rows in the bin"),
    count("n_positive", "of these, the positive ones"),
    number("mean_predicted_ratio", "mean probability in the bin, 0..1"),
    comment="Reliability of each version on the rows that were held out from it; empty bins have no row.",
)

FAIRNESS_METRIC = Table(
    "fairness_metric",
    METADATA,
    problem_key(),
    text("model_version", "version that was measured", key=True),
    text("group_name", "column that makes the groups", key=True),
    text("group_value", "the group", key=True),
    text("metric", "selection_rate, true_positive_rate, false_positive_rate or calibration_gap", key=True),
    number("value", "0..1, or -1..1 for the gap; missing for a group that is too small", nullable=True),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    number("difference", "value less that of all other rows", nullable=True),
    number("difference_low", "lower end of its 95 % interval", nullable=True),
    number("difference_high", "upper end of its 95 % interval", nullable=True),
    count("n_rows", "held-out rows that it is a share of"),
    text("note", "why there is no number; empty where there is one"),
    comment="Whether groups are treated alike, on held-out rows.",
)

WEAK_SEGMENT = Table(
    "weak_segment",
    METADATA,
    problem_key(),
    text("model_version", "version that was measured", key=True),
    text("feature", "column that the segment is cut by", key=True),
    text("segment", "its value, or its interval", key=True),
    count("n_rows", "held-out rows in it"),
    number("loss_nats", "mean log loss in it, nats a row"),
    number("excess_nats", "that less the mean log loss of all other rows"),
    number("low", "lower end of the 95 % interval of the excess"),
    number("high", "upper end of the 95 % interval of the excess"),
    number("p_value", "chance of this excess or more where there is none, 0..1"),
    number("q_value", "p-value corrected for all segments that were looked at, 0..1"),
    flag("is_weak", "whether the excess holds at a false discovery rate of 5 %"),
    comment="Every segment that was compared with the rest of the held-out rows, and whether the model is weak there.",
)

SUSPECTED_LABEL = Table(
    "suspected_label",
    METADATA,
    problem_key(),
    text("model_version", "version whose labels were examined", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    partition_key(key=False),
    count("rank", "1 is the most suspicious"),
    text("given_label", "class that people gave"),
    text("suggested_label", "class that the model, not shown the answer, is sure of"),
    number("given_ratio", "probability that it gives the given class, 0..1"),
    count("n_examined", "labels that were examined"),
    moment("found_at_utc", "when"),
    comment="Labels that are probably wrong; the review room asks for them again, and nothing changes them by itself.",
)

FEATURE_RANGE = Table(
    "feature_range",
    METADATA,
    problem_key(),
    text("model_version", "version that reads the feature", key=True),
    text("feature", "column of the problem", key=True),
    text("kind", "number, category or text"),
    number("low", "smallest held-out value of a number", nullable=True),
    number("high", "largest held-out value of a number", nullable=True),
    text("middle", "median, or the most frequent category; empty for text"),
    document("options", "categories that the model knows, the most frequent first"),
    comment="What each feature looks like; what-if questions start from the middle.",
)

MODEL_NOTE = Table(
    "model_note",
    METADATA,
    problem_key(),
    text("model_version", "version it is about", key=True),
    text("topic", "what could not be said, or how it was measured", key=True),
    text("note", "one sentence"),
    comment="What must be known to read the other tables about one version.",
)

RULE_VERSION = Table(
    "rule_version",
    METADATA,
    problem_key(),
    text("rule_version", "rule-001, rule-002, ...; never used again", key=True),
    text("status", "proposed, approved or refused; silence is a refusal"),
    text("positive_when", "SQL predicate over the problem's columns"),
    document("keywords", "words that it looks for"),
    count("n_mined", "labelled rows that suggested and chose them"),
    count("n_measured", "other labelled rows, chosen by chance, that measured them"),
    moment("proposed_at_utc", "when"),
    text("proposed_by", "DAG run that mined it"),
    moment("decided_at_utc", "when it was approved or refused", nullable=True),
    text("decided_by", "person who decided, or the timeout", nullable=True),
    comment="Every rule that was ever proposed from labels; the newest approved one is the rule baseline.",
)

KEYWORD_RULE = Table(
    "keyword_rule",
    METADATA,
    problem_key(),
    text("rule_version", "proposal it was measured for", key=True),
    text("keyword", "contains this, whatever the case; or the chosen ones together", key=True),
    count("rank", "order of suggestion; 0 is the whole rule"),
    count("n_hits", "measured rows that contain it"),
    count("n_rows", "measured rows"),
    number("precision_ratio", "share of the hits that are positive, 0..1"),
    number("precision_low", "lower end of its 95 % Wilson interval"),
    number("precision_high", "upper end of its 95 % Wilson interval"),
    number("coverage_ratio", "share of the positive rows that contain it, 0..1"),
    number("coverage_low", "lower end of its 95 % Wilson interval"),
    number("coverage_high", "upper end of its 95 % Wilson interval"),
    flag("is_chosen", "whether it is part of the proposed rule"),
    comment="Candidate rules 'contains X', measured on rows that did not suggest them.",
)
