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
    moment("seen_at_utc", "when the land stage read it"),
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
