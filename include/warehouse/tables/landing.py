"""What arrived."""

from sqlalchemy import BigInteger, Column, Table

from include.warehouse.tables.base import METADATA, count, moment, partition_key, problem_key, text

LANDING_OBJECT = Table(
    "landing_object",
    METADATA,
    problem_key(),
    text("object_key", "path below the landing URL", key=True),
    Column("size_bytes", BigInteger, nullable=False, comment="size, in bytes"),
    text("version", "store's etag, or the file's time of change in nanoseconds: read again only when it differs"),
    text("fingerprint", "sha256 of the bytes"),
    text("home_partition", "partition of the records whose own time cannot place them"),
    text("placed_by", "format, grain, event time and its range when it was read, as JSON text", nullable=True),
    count("n_unplaced", "records without a usable time; missing in rows older than this column", nullable=True),
    count("n_rows", "records in the object, readable or not"),
    text("flaw", "what is wrong with the object as a whole: empty, cut short, not of the format", nullable=True),
    text(
        "read_as", "format its records were read in, recognised by its content where the file says auto", nullable=True
    ),
    moment("seen_at_utc", "when the land stage read it"),
    moment("arrived_at_utc", "when its bytes were last written, as its store says", nullable=True),
    comment="One row per landing object, as it was when last read.",
)

LANDING_PARTITION = Table(
    "landing_partition",
    METADATA,
    problem_key(),
    partition_key(),
    text("object_key", "path below the landing URL", key=True),
    count("n_rows", "records of this object that belong to this partition"),
    comment="Which objects feed which partition, by the event time inside them.",
)

WITHDRAWAL = Table(
    "withdrawal",
    METADATA,
    problem_key(),
    text("object_key", "path of the withdrawn object below the landing URL", key=True),
    partition_key(),
    text("run_id", "Airflow run that withdrew it", key=True),
    text("fingerprint", "sha256 of the bytes that are withdrawn; other bytes in its place are another object"),
    text("same_bytes_as", "object that was named, where this one only has the same bytes", nullable=True),
    count("n_rows", "its records of this partition"),
    text("actor", "who withdrew it"),
    text("reason", "why, in one sentence"),
    moment("withdrawn_at_utc", "from when on ingest leaves it out"),
    moment("left_at_utc", "when the partition was ingested without it; missing until then", nullable=True),
    text("restored_run_id", "Airflow run that let it in again; missing while it is withdrawn", nullable=True),
    text("restored_by", "who let it in again", nullable=True),
    text("restored_reason", "why, in one sentence", nullable=True),
    moment("restored_at_utc", "when it was let in again", nullable=True),
    comment="One row per withdrawn object, partition that it fed, and run that withdrew it.",
)
