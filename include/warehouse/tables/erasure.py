"""Who was erased, as hashes: what keeps their rows from coming back."""

from sqlalchemy import Table

from include.warehouse.tables.base import METADATA, count, moment, problem_key, text

ERASED_SUBJECT = Table(
    "erased_subject",
    METADATA,
    problem_key(),
    text("subject_hash", "keyed hash of the value that named the person in the raw logs", key=True),
    text("key_id", "which key it was hashed with", key=True),
    text("subject_id", "hash with the key that was the newest; the same for all hashes of one person"),
    text("reason", "why, as whoever asked for it wrote"),
    text("actor", "person or DAG run that asked for it"),
    text("run_id", "Airflow run that asked for it first"),
    count("n_rows", "rows that were removed from the lake, by all runs"),
    moment("asked_at_utc", "from when on ingest leaves the person's rows out"),
    moment("proven_at_utc", "when a scan last found nothing left; missing until then", nullable=True),
    comment="One row per erased person and key; ingest counts their rows as quarantined, and keeps nothing of them.",
)
