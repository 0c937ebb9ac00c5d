"""What was audited, what was kept out, and why."""

from sqlalchemy import CheckConstraint, Table

from include.warehouse.tables.base import METADATA, count, flag, moment, partition_key, problem_key, text

PARTITION_AUDIT = Table(
    "partition_audit",
    METADATA,
    problem_key(),
    partition_key(),
    text("run_id", "Airflow run that published or refused it"),
    count("n_in", "records that landing has"),
    count("n_published", "rows that this run published"),
    count("n_quarantined", "rows in quarantine, with a reason each"),
    count("n_duplicate", "rows dropped because their key was there already"),
    count("n_refused", "rows kept out because the partition was refused as a whole; 0 where it was published"),
    count("n_withdrawn", "records of withdrawn objects, which are not read"),
    text("verdict", "published, published_with_warnings, refused, or withdrawn where nothing else is left"),
    text("first_reason", "the first reason for a refusal, a warning or a quarantine", nullable=True),
    text("snapshot_id", "Iceberg snapshot that holds the rows", nullable=True),
    text("files_sha256", "hash over the audited files' hashes", nullable=True),
    text("files", "audited files: path in the lake to sha256, as JSON text", nullable=True),
    text("landed_sha256", "hash of what landing had for the partition when it was staged", nullable=True),
    text("rules_sha256", "hash of the rules of the problem file that it was read by", nullable=True),
    count("n_in_lake", "rows of it in the lake: those published, or of a refused one those of the publish before"),
    moment("finished_at_utc", "when the verdict was written"),
    # Whoever writes a row, the warehouse itself counts again: a row that was lost or doubled cannot be stored.
    CheckConstraint(
        "n_in = n_published + n_quarantined + n_duplicate + n_refused + n_withdrawn", name="ck_partition_audit_counts"
    ),
    CheckConstraint("n_refused = 0 OR (verdict = 'refused' AND n_published = 0)", name="ck_partition_audit_refused"),
    comment="One row per partition; rows in = published + quarantined + duplicates + refused + withdrawn.",
)

QUALITY_RESULT = Table(
    "quality_result",
    METADATA,
    problem_key(),
    partition_key(),
    count("check_index", "position of the expectation in the problem file", key=True),
    text("expectation", "Great Expectations name"),
    text("column_name", "column it is about", nullable=True),
    text("severity", "stop or warn"),
    flag("is_success", "whether the partition met it"),
    text("observed", "what was seen, as text", nullable=True),
    text("bound", "what was allowed: the arguments, as JSON text"),
    count("n_unexpected", "rows that broke it", nullable=True),
    count("n_rows", "rows it was asked about"),
    text("error", "what Great Expectations said when it could not answer", nullable=True),
    count("n_quarantined", "rows it named that are in quarantine for it; the other columns are about the rest"),
    comment="One row per partition and expectation, and behind them one per field that nobody declared.",
)

REJECTED_RECORD = Table(
    "rejected_record",
    METADATA,
    problem_key(),
    partition_key(),
    text("reason", "why rows are in quarantine", key=True),
    count("n_rows", "rows with this reason"),
    text("example", "object and line of the first such row", nullable=True),
    comment="Quarantined rows counted by reason; the rows themselves lie in the lake's quarantine table.",
)

REPLAY = Table(
    "replay",
    METADATA,
    problem_key(),
    partition_key(),
    text("run_id", "Airflow run that replayed the rows", key=True),
    text("actor", "who asked for it"),
    text("reason", "why, in one sentence"),
    text("verdict", "waiting, published, published_with_warnings, refused or nothing (to do)"),
    text("first_reason", "the first reason for the verdict", nullable=True),
    count("n_tried", "quarantined rows that were replayed"),
    count("n_published", "of these, rows that are published now; less by those that stricter rules took out"),
    count("n_quarantined", "rows in quarantine now; all that were tried where nothing was published"),
    count("n_duplicate", "rows dropped because an earlier row has their key"),
    moment("replayed_at_utc", "when the verdict was written"),
    moment(
        "announced_at_utc", "when what waits downstream was told; missing where nothing was published", nullable=True
    ),
    comment="One row per run and partition whose quarantined rows were replayed.",
)

DATA_DOCS = Table(
    "data_docs",
    METADATA,
    problem_key(),
    partition_key(),
    text("run_id", "Airflow run that audited it"),
    text("html", "Great Expectations' page about the newest audit, without scripts, styles or personal values"),
    moment("built_at_utc", "when the page was written"),
    comment="One page per partition, as Great Expectations renders it.",
)
