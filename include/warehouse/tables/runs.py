"""Who reached which stage, and how long each step took."""

from sqlalchemy import Column, Integer, Table

from include.warehouse.tables.base import METADATA, count, document, moment, number, partition_key, problem_key, text

COVERAGE = Table(
    "coverage",
    METADATA,
    problem_key(),
    text("stage", "land, ingest, train, review, experiment or monitor", key=True),
    partition_key(),
    text("status", "waiting, running, done, refused or failed"),
    text("detail", "why, in one sentence", nullable=True),
    text("run_id", "Airflow run that wrote this row", nullable=True),
    moment("updated_at_utc", "when this row was written"),
    Column(
        "n_failures",
        Integer,
        nullable=False,
        server_default="0",
        comment="steps that failed since the partition was last done, refused, or fed by something new",
    ),
    text("group_key", "partition whose ingest run takes this one along; none: it has a run of its own", nullable=True),
    comment="One row per partition and stage: how far it came.",
)

LOST_EVENT = Table(
    "lost_event",
    METADATA,
    problem_key(),
    text("stage", "stage that should have begun with the partition", key=True),
    partition_key(),
    count("n_announced", "how often it was announced again"),
    text("run_id", "Airflow run that announced it last"),
    moment("announced_at_utc", "when it was announced again, the last time"),
    comment="Partitions that were announced to a stage, and that the stage never began with, until announced again.",
)

RUN_STEP = Table(
    "run_step",
    METADATA,
    problem_key(),
    text("stage", "stage of the waterway", key=True),
    text("step", "function that ran", key=True),
    partition_key(),
    text("run_id", "Airflow run, or 'by-hand'", key=True),
    moment("started_at_utc", "when the step started"),
    number("duration_s", "wall time of the step itself, in seconds, without Airflow's share"),
    text("status", "done or failed"),
    count("n_rows", "rows the step handled, where it says so", nullable=True),
    document("outcome", "the small dict the step returned, or its error"),
    comment="One row per step and run; a step that ran twice in one run keeps its last time.",
)
