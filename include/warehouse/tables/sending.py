"""Who was listed for a mailer, in which file, and who was not: batch sending."""

from sqlalchemy import Table

from include.warehouse.tables.base import METADATA, count, moment, problem_key, text
from include.warehouse.tables.experiments import experiment_key

SEND_LIST = Table(
    "send_list",
    METADATA,
    problem_key(),
    experiment_key(),
    text("unit", "id as the lake holds it: masked where the audience masks it, else raw", key=True),
    text("log", "log of the audience that listed it first"),
    text("item_id", "row key of its row in that log"),
    text("partition_key", "partition of the audience that listed it first"),
    count("batch", "number of the file that lists it, from 1"),
    text("variant", "what it is to be sent"),
    text("phase", "pilot, wave and its number, or rest"),
    text("window_key", "window of the experiment whose shares stood; missing before its first", nullable=True),
    text("plan_sha256", "plan that the shares are of"),
    count("plan_version", "its number, from 1"),
    moment("chosen_at_utc", "when it was chosen"),
    comment="Every unit that was ever listed to be sent something, once for each experiment.",
)

SEND_BATCH = Table(
    "send_batch",
    METADATA,
    problem_key(),
    experiment_key(),
    count("batch", "number of the file, from 1", key=True),
    text("log", "log of the audience"),
    text("partition_key", "its partition"),
    count("n_units", "units that were chosen for the file"),
    text("file", "name of the file below the outbox"),
    moment("chosen_at_utc", "when its units were chosen"),
    moment("written_at_utc", "when the file was there; missing before, and it is never written again", nullable=True),
    comment="Every file of the outbox: units are chosen and remembered first, then the file is written.",
)

SEND_COUNT = Table(
    "send_count",
    METADATA,
    problem_key(),
    experiment_key(),
    text("log", "log of the audience", key=True),
    text("partition_key", "its partition", key=True),
    text(
        "reason",
        "listed, already_listed (by another partition), held back or left out, each by its cause",
        key=True,
    ),
    count("n_rows", "rows of the audience"),
    moment("counted_at_utc", "when it was looked at last"),
    comment="What became of the rows of each partition of an audience; the reasons of one sum to its rows.",
)
