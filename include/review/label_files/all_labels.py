"""Every label that was ever given, as lines: who, when, what chose the item, what was shown, and whether it counts.

A store file; it only reads. What does not belong here: batches to be filled in (`label_files/import_export.py`).
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Case, Connection, Subquery, and_, case, select

from include.names import Arm
from include.partition_keys import sort_key
from include.review.batches import store as batches
from include.review.label_files.jsonl import NOTE
from include.warehouse.newest_answers import newest_answers
from include.warehouse.tables.review import LABEL, REPLACED_LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.trusted_labels import is_given, is_relied_on

REPLACED = "replaced"
# `round`, not `batch_id`: a line without a batch can be imported elsewhere as a label that exists already.
NAMES = (
    "item_id",
    "label",
    "labelled_by",
    "labelled_at",
    "arm",
    "round",
    "partition_key",
    "ranked_by",
    "model_shown",
    "content_hash",
    "is_demo",
    "status",
    "duration_ms",
)  # and what the person wrote beside it


def read_labels(connection: Connection, problem: str, note_name: str = NOTE) -> Iterator[dict[str, object]]:
    """Read all answers of a problem, also those that count no more, by round, item and person.

    Args:
        note_name: the field of what the person wrote beside it.

    Returns:
        records of `NAMES` and the note: `ranked_by` is the model version that chose the round, `model_shown` what the
        page said of it (missing where the review was blind), `status` is counts, waiting, withdrawn, tests (its answer
        was known, so that it teaches nothing), overruled (a lead had the last word), or replaced (the same person
        answered again later; where that was in the same round, nothing is kept of what was shown).
    """
    newest = newest_answers(problem).subquery()
    is_newest = and_(*(LABEL.c[name] == newest.c[name] for name in ("item_id", "labelled_by", "batch_id")))
    query = (
        select(
            LABEL.c.item_id,
            LABEL.c.label,
            LABEL.c.labelled_by,
            LABEL.c.labelled_at_utc.label("labelled_at"),
            LABEL.c.arm,
            LABEL.c.batch_id.label("round"),
            REVIEW_ITEM.c.partition_key,
            REVIEW_BATCH.c.model_version.label("ranked_by"),
            LABEL.c.shown["model"].label("model_shown"),
            LABEL.c.shown["content_hash"].astext.label("content_hash"),
            LABEL.c.is_demo,
            _status(newest).label("status"),
            LABEL.c.duration_ms,
            LABEL.c.note.label(note_name),
        )
        .outerjoin(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .outerjoin(REVIEW_BATCH, batches.same_batch(LABEL, REVIEW_BATCH))
        .outerjoin(newest, is_newest)
        .where(LABEL.c.problem == problem)
    )
    replaced = (
        select(REPLACED_LABEL, REVIEW_ITEM.c.partition_key, REVIEW_BATCH.c.model_version.label("ranked_by"))
        .outerjoin(REVIEW_ITEM, batches.same_item(REPLACED_LABEL, REVIEW_ITEM))
        .outerjoin(REVIEW_BATCH, batches.same_batch(REPLACED_LABEL, REVIEW_BATCH))
        .where(REPLACED_LABEL.c.problem == problem)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for old in connection.execute(replaced).mappings():
        names = {"round": old["batch_id"], "labelled_at": old["labelled_at_utc"], "status": REPLACED, "is_demo": False}
        rows.append({name: old.get(name) for name in NAMES} | names | {note_name: old["note"]})
    for row in sorted(rows, key=_place):
        yield {**row, "labelled_at": row["labelled_at"].isoformat()}


def _status(newest: Subquery) -> Case[str]:
    """Say what becomes of an answer, beside what everybody says now."""
    return case(
        (~is_given(), "withdrawn"),
        (~is_relied_on(), "waiting"),
        (LABEL.c.arm == Arm.GOLD, "tests"),
        (newest.c.counts.is_(None), REPLACED),
        (newest.c.counts, "counts"),
        else_="overruled",
    )


def _place(row: Mapping[str, object]) -> tuple[object, ...]:
    """Say where a record stands: by round, item, person and time."""
    return sort_key(str(row["round"])), row["item_id"], row["labelled_by"], row["labelled_at"], row["status"]
