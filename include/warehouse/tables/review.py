"""What people were asked, and what they said."""

from sqlalchemy import Index, Table

from include.warehouse.tables.base import METADATA, count, flag, moment, number, partition_key, problem_key, text

REVIEW_BATCH = Table(
    "review_batch",
    METADATA,
    problem_key(),
    text("batch_id", "round-001, round-002, ...", key=True),
    count("round_number", "1 is the cold start"),
    text("model_version", "model whose doubt chose the items; empty at the cold start", nullable=True),
    count("n_items", "items in the batch"),
    count("n_pool", "unlabelled items it was chosen from"),
    moment("chosen_at_utc", "when it was put on the desk"),
    moment("due_at_utc", "when it should be answered"),
    text("status", "open or answered"),
    text("opened_by", "key of the wake-up that opened it: a data partition at the cold start, else a batch"),
    moment("answered_at_utc", "when its last item was answered; missing while it is open", nullable=True),
    comment="One row per batch of items put before people.",
)

REVIEW_ITEM = Table(
    "review_item",
    METADATA,
    problem_key(),
    text("batch_id", "batch it is in", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    partition_key(key=False),
    text("arm", "entropy, random, gold or overlap: what chose it"),
    count("position", "place in the batch, from 1"),
    number("inclusion_probability", "chance of being chosen by its arm, 0..1; 1 for the top of a ranking"),
    number("entropy_nats", "how undecided the model was; missing at the cold start", nullable=True),
    number("p_positive", "probability of the positive class at choosing time, 0..1", nullable=True),
    comment="One row per item and batch, with the arm that chose it.",
)

LABEL = Table(
    "label",
    METADATA,
    problem_key(),
    text("item_id", "row key of the item in the lake", key=True),
    text("labelled_by", "who: a user name, or demo-reviewer", key=True),
    text("label", "one of the problem's classes"),
    text("batch_id", "batch it was asked in"),
    text("arm", "what chose the item"),
    flag("is_demo", "whether recorded truth answered in a person's place"),
    moment("labelled_at_utc", "when"),
    count("duration_ms", "time from shown to answered, in milliseconds", nullable=True),
    comment="One row per item and person.",
)
Index("ix_label_batch", LABEL.c.problem, LABEL.c.batch_id)
