"""Answers that nobody was asked for: labels that exist already, corrections after a batch, and a lead's last word.

What belongs here: where they are kept, so that every reader of labels finds them like any other answer. What does not:
where they come from (label files, the desk), and which of them count (`warehouse/trusted_labels.py`).

A late answer is a row of its own in the newest round: what was said before stays as it was (in the same round, as
history: `batches/answers.py`), and a person's newest answer counts. Where a batch is open they join it and teach
together with it; else they make a round of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, update

from include.names import LATE_ARMS, Arm, Coverage, Stage
from include.partition_keys import round_key
from include.review.batches import store as batches
from include.review.batches.answers import store_answers
from include.review.batches.choice import Choice
from include.warehouse import coverage
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM

LATE = "late answers"  # what opened a round that nobody was asked in


@dataclass(frozen=True)
class LateAnswer:
    """One answer, as its giver left it."""

    item_id: str
    partition_key: str
    labelled_by: str
    label: str
    labelled_at: datetime
    note: str | None = None


def record_late_answers(
    connection: Connection,
    problem: str,
    answers: Sequence[LateAnswer],
    arm: Arm,
    now: datetime,
    count_pool: Callable[[], int],
) -> str:
    """Store late answers in the open batch, or in a round that was answered as it was opened.

    The caller holds the desk, and has left out what lies on it (`read_on_desk`).

    Args:
        arm: imported, correction or adjudication.
        count_pool: counts the published items without a label; asked where there was no round before.

    Returns:
        the batch they are in.
    """
    existing = batches.read_batches(connection, problem)
    batch_id = _find_round(existing) or _open_round(connection, problem, existing, now, count_pool)
    where = {"problem": problem, "batch_id": batch_id}
    place = connection.scalar(
        select(func.coalesce(func.max(REVIEW_ITEM.c.position), 0)).where(
            REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id
        )
    )
    there = set(
        connection.scalars(
            select(REVIEW_ITEM.c.item_id).where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
        )
    )
    partitions = {answer.item_id: answer.partition_key for answer in answers if answer.item_id not in there}
    items = [
        where | asdict(Choice(item, key, arm, 1.0, None, None)) | {"position": position}
        for position, (item, key) in enumerate(partitions.items(), start=(place or 0) + 1)
    ]
    upsert_rows(connection, REVIEW_ITEM, items)
    rows: list[dict[str, object]] = [
        {
            **where,
            "item_id": answer.item_id,
            "labelled_by": answer.labelled_by,
            "label": answer.label,
            "arm": arm,
            "is_demo": False,
            "labelled_at_utc": answer.labelled_at,
            "duration_ms": None,
            "note": answer.note,
        }
        for answer in answers
    ]
    store_answers(connection, rows, now)
    is_there = (REVIEW_BATCH.c.problem == problem, REVIEW_BATCH.c.batch_id == batch_id)
    connection.execute(update(REVIEW_BATCH).where(*is_there).values(n_items=REVIEW_BATCH.c.n_items + len(items)))
    return batch_id


def read_on_desk(connection: Connection, problem: str) -> set[str]:
    """Name the items that an open batch asks people about: they are answered there."""
    query = (
        select(REVIEW_ITEM.c.item_id)
        .join(REVIEW_BATCH, batches.same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_BATCH.c.status == batches.OPEN)
        .where(REVIEW_ITEM.c.arm.not_in(LATE_ARMS))
    )
    return set(connection.scalars(query))


def asked_rounds(existing: Sequence[RowMapping]) -> list[RowMapping]:
    """Keep the rounds in which people were asked something."""
    return [batch for batch in existing if batch["opened_by"] != LATE]


def _find_round(existing: Sequence[RowMapping]) -> str | None:
    """Name the round that takes late answers: the open batch, or the newest round where it is late and unannounced."""
    for batch in existing:
        if batch["status"] == batches.OPEN:
            return str(batch["batch_id"])
    newest = existing[-1] if existing else None
    is_waiting = newest is not None and newest["opened_by"] == LATE and newest["announced_at_utc"] is None
    return str(newest["batch_id"]) if newest is not None and is_waiting else None


def _open_round(
    connection: Connection,
    problem: str,
    existing: Sequence[RowMapping],
    now: datetime,
    count_pool: Callable[[], int],
) -> str:
    """Open a round that is answered already; `desk_watch` announces it, as what was lost on the way."""
    n_pool = _count_left(connection, problem, existing[-1]) if existing else count_pool()
    number = len(existing) + 1
    batch = batches.Batch(problem, round_key(number), number, None, 0, n_pool, now, now, LATE)
    batches.write_batch(connection, batch, [])
    batches.close_batch(connection, problem, batch.batch_id, now)
    coverage.mark(connection, problem, Stage.REVIEW, batch.batch_id, Coverage.DONE)
    return batch.batch_id


def _count_left(connection: Connection, problem: str, newest: RowMapping) -> int:
    """Count what the newest round left unlabelled of its pool."""
    earlier = (
        select(LABEL.c.item_id)
        .join(REVIEW_BATCH, batches.same_batch(REVIEW_BATCH, LABEL))
        .where(LABEL.c.problem == problem, REVIEW_BATCH.c.round_number < newest["round_number"])
    )
    taken = select(func.count(LABEL.c.item_id.distinct())).where(
        LABEL.c.problem == problem, LABEL.c.batch_id == newest["batch_id"], LABEL.c.item_id.not_in(earlier)
    )
    return max(0, int(newest["n_pool"]) - (connection.scalar(taken) or 0))
