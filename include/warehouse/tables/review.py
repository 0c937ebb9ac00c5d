"""What people were asked, and what they said."""

from sqlalchemy import Index, Table

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

REVIEW_BATCH = Table(
    "review_batch",
    METADATA,
    problem_key(),
    text("batch_id", "round-001, round-002, ...", key=True),
    count("round_number", "1 is the cold start"),
    text("model_version", "model whose uncertainty chose the items; empty at the cold start", nullable=True),
    count("n_items", "items in the batch"),
    count("n_pool", "unlabelled items it was chosen from"),
    moment("chosen_at_utc", "when it was put on the desk"),
    moment("due_at_utc", "when it should be answered"),
    text("status", "open or answered"),
    text("opened_by", "key of the wake-up that opened it: a data partition at the cold start, else a batch"),
    text("strategy", "arm that ranked the pool; empty before that was written down", nullable=True),
    text("predictions_snapshot_id", "Iceberg snapshot of the scores it was chosen from; empty without", nullable=True),
    number(
        "decision_change_ratio",
        "share of the pool's decisions that differ from those of the batch before, 0..1; missing where unknown",
        nullable=True,
    ),
    moment("answered_at_utc", "when its last item was answered; missing while it is open", nullable=True),
    moment("escalated_at_utc", "when it was brought to the problem's escalation; missing if never", nullable=True),
    moment("announced_at_utc", "when Airflow was told that it is answered; missing until then", nullable=True),
    comment="One row per batch of items put before people.",
)

REVIEW_ITEM = Table(
    "review_item",
    METADATA,
    problem_key(),
    text("batch_id", "batch it is in", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    partition_key(key=False),
    text("arm", "what chose it: a strategy such as entropy, random, outlier, spread, gold or relabel"),
    count("position", "place in the batch, from 1"),
    number("inclusion_probability", "chance of being chosen by its arm, 0..1; 1 for the top of a ranking"),
    count("n_answers_wanted", "people who should answer it: 1, or more where agreement is measured"),
    count("n_answers_most", "people who should answer it where the first ones differ; missing: no more", nullable=True),
    text("gold_label", "the known answer of a gold item; empty for all others", nullable=True),
    text("skill", "what a person must be trained for to see it; empty for anybody", nullable=True),
    flag("is_sensitive", "whether it stays covered until a person opens it"),
    flag("is_for_others", "whether only people who have not answered it before are asked"),
    text("reason", "why it is asked again; empty for items that are asked the first time", nullable=True),
    number(
        "strategy_score",
        "what the strategy ranked it by: nats, 0..1 or the problem's unit of value; missing without a model",
        nullable=True,
    ),
    number("entropy_nats", "how undecided the model was; missing at the cold start", nullable=True),
    number("p_positive", "probability of the positive class at choosing time, 0..1", nullable=True),
    comment="One row per item and batch, with the arm that chose it.",
)

LABEL = Table(
    "label",
    METADATA,
    problem_key(),
    text("batch_id", "batch it was asked in", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    text("labelled_by", "who: a user name, or demo-reviewer", key=True),
    text("label", "one of the problem's classes"),
    text("arm", "what chose the item"),
    flag("is_demo", "whether recorded truth answered in a person's place"),
    moment("labelled_at_utc", "when"),
    count("duration_ms", "time from shown to answered, in milliseconds", nullable=True),
    text("note", "what the person wrote beside it", nullable=True),
    document("shown", "what was shown with the question: the model's view if any, and the hash of the content"),
    comment="One row per batch, item and person; of one person's answers to an item, the newest batch counts.",
)
Index("ix_label_item", LABEL.c.problem, LABEL.c.item_id)
Index("ix_label_person", LABEL.c.labelled_by, LABEL.c.labelled_at_utc)

REPLACED_LABEL = Table(
    "replaced_label",
    METADATA,
    problem_key(),
    text("batch_id", "batch it was an answer of", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    text("labelled_by", "who", key=True),
    moment("replaced_at_utc", "when the other answer of the same person and batch came in", key=True),
    text("label", "one of the problem's classes"),
    text("arm", "what chose the item"),
    text("note", "what the person wrote beside it", nullable=True),
    moment("labelled_at_utc", "when it was said"),
    comment="One row per answer in whose place the same person's newer one stands in its batch; it counts nowhere.",
)

LABEL_CORRECTION = Table(
    "label_correction",
    METADATA,
    problem_key(),
    text("item_id", "row key of the corrected row in the lake", key=True),
    text("labelled_by", "who corrected it", key=True),
    text("label", "one of the problem's classes; of several labels a JSON list of them"),
    flag("is_positive", "whether that is the positive class; missing where none is looked for alone", nullable=True),
    text("note", "what the person wrote beside it", nullable=True),
    text("object_key", "path of the file below the landing URL"),
    partition_key(key=False),
    flag("log_is_positive", "what the log said then, of two sides; missing where it said nothing yet", nullable=True),
    text("log_label", "what the log said then, of several; missing where it said nothing yet", nullable=True),
    moment("corrected_at_utc", "when the file was read"),
    comment="One row per corrected row of a log and person; the newest file of a person counts.",
)

AGREEMENT = Table(
    "agreement",
    METADATA,
    problem_key(),
    text("scope", "all, class (against the rest) or reviewer", key=True),
    text("subject", "the class or the person; empty for all", key=True),
    text(
        "statistic",
        "krippendorff_alpha, fleiss_kappa, cohen_kappa, gold_ratio (of known answers), or right_ratio (of all)",
        key=True,
    ),
    count("n_items", "items that two people answered, or gold questions"),
    number(
        "value", "1 is full agreement, 0 what chance gives (gold: 0..1); missing if all say the same", nullable=True
    ),
    number("low", "lower end of the 95 % interval", nullable=True),
    number("high", "upper end of the 95 % interval", nullable=True),
    moment("measured_at_utc", "when"),
    comment="One row per problem, scope, subject and statistic, over all rounds; recorded truth counts as nobody.",
)

REVIEW_ESTIMATE = Table(
    "review_estimate",
    METADATA,
    problem_key(),
    text("batch_id", "round whose labels are the newest that were used", key=True),
    text("quantity", "positive_ratio of everything published, labels_needed_by_random or auc_gained", key=True),
    count("n_labels", "labels used, of all arms; for auc_gained, of each of the two that are compared"),
    number("value", "0..1, or labels; auc_gained -1..1; missing if more than chance was ever given", nullable=True),
    number("low", "lower end of the 95 % interval, missing likewise", nullable=True),
    number("high", "upper end of the 95 % interval, missing likewise", nullable=True),
    moment("measured_at_utc", "when"),
    comment="One row per round and quantity: what its labels say about everything, and what choosing them saved.",
)

LABEL_FILE = Table(
    "label_file",
    METADATA,
    problem_key(),
    text("object_key", "path of the file below the landing URL", key=True),
    text("version", "changes when the file does: the store's etag, or the time of change"),
    count("n_stored", "lines that became answers"),
    count("n_rejected", "lines that were not taken"),
    count(
        "n_second_wanted",
        "items of the file that want one more person; missing for files read before that was counted",
        nullable=True,
    ),
    document("reasons", "why: a list of reason, n_lines and first_line, the most frequent first"),
    moment("imported_at_utc", "when it was read"),
    comment="One row per file of labels from elsewhere; blank lines count as nothing.",
)

LABEL_FLAG = Table(
    "label_flag",
    METADATA,
    problem_key(),
    text("batch_id", "batch the answers were given in", key=True),
    text("labelled_by", "who gave them", key=True),
    count("n_labels", "answers of that person in that batch"),
    text("reason", "why nobody relies on them yet"),
    moment("flagged_at_utc", "when"),
    text("status", "waiting for a lead, accepted, or withdrawn: as if never given"),
    text("decided_by", "the lead who decided; empty while it waits", nullable=True),
    moment("decided_at_utc", "when; missing while it waits", nullable=True),
    comment="One row per person and batch whose answers look like nobody read the items.",
)

PERSON_BLOCK = Table(
    "person_block",
    METADATA,
    problem_key(),
    text("labelled_by", "whose answers count as never given", key=True),
    count("n_labels", "answers they had given when they were blocked"),
    text("reason", "why, in the lead's words"),
    text("blocked_by", "the lead"),
    moment("blocked_at_utc", "when"),
    text("lifted_by", "the lead who took it back; empty while it stands", nullable=True),
    moment("lifted_at_utc", "when; missing while it stands", nullable=True),
    comment="One row per person whom a lead has blocked; core.review_audit has earlier blocks of the same person.",
)

SETTLED_LABEL = Table(
    "settled_label",
    METADATA,
    problem_key(),
    text("item_id", "row key of the item in the lake", key=True),
    text("label", "what it is settled as; missing where nobody can say yet", nullable=True),
    number("confidence_ratio", "probability of that label, or of the likeliest, by everybody's answers, 0..1"),
    count("n_people", "people whose answers it rests on"),
    number("gain_ratio", "how much surer one more typical answer is expected to make it, 0..1"),
    moment("measured_at_utc", "when"),
    comment="One row per item that two people or more have answered, as people are known now.",
)
