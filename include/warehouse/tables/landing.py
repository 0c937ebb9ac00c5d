"""What arrived."""

from sqlalchemy import Table

from include.warehouse.tables.base import METADATA, count, moment, partition_key, problem_key, text

LANDING_OBJECT = Table(
    "landing_object",
    METADATA,
    problem_key(),
    text("object_key", "path below the landing URL", key=True),
    count("size_bytes", "size, in bytes"),
    text("fingerprint", "sha256 of the bytes, or the store's etag"),
    count("n_rows", "records in the object, readable or not"),
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
