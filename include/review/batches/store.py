"""Reads and writes batches, their items and the answers.

What belongs here: `core.review_batch`, `core.review_item` and `core.label`. What does not: which items are chosen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, select, update

from include.errors import MulgilError, UnknownBatch
from include.review.batches import assignments
from include.review.batches.answers import store_answers
from include.review.batches.choice import Choice
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.trusted_labels import is_given

OPEN = "open"
ANSWERED = "answered"
_FRESH = {"status": OPEN, "answered_at_utc": None, "escalated_at_utc": None, "announced_at_utc": None}


@dataclass(frozen=True)
class Batch:
    """One batch as it goes on the desk; the columns of `core.review_batch`."""

    problem: str
    batch_id: str
    round_number: int
    model_version: str | None
    n_items: int
    n_pool: int
    chosen_at_utc: datetime
    due_at_utc: datetime
    opened_by: str
    strategy: str | None = None
    predictions_snapshot_id: str | None = None
    decision_change_ratio: float | None = None


def hold_desk(connection: Connection, problem: str) -> None:
    """Keep every other change of this problem's batches waiting until the transaction ends; to be held briefly."""
    lock_until_commit(connection, "review", problem)


def hold_planning(connection: Connection, problem: str) -> None:
    """Keep every other wake-up that would open a batch waiting until the transaction ends; answers go on.

    A step's own lock is per wake-up; two different wake-ups must not both open a batch.
    """
    lock_until_commit(connection, "review planning", problem)


def read_batches(connection: Connection, problem: str) -> list[RowMapping]:
    """Read every batch of a problem, oldest first."""
    query = select(REVIEW_BATCH).where(REVIEW_BATCH.c.problem == problem).order_by(REVIEW_BATCH.c.round_number)
    return list(connection.execute(query).mappings())


def find_batch(connection: Connection, problem: str, batch_id: str) -> RowMapping:
    """Read one batch.

    Raises:
        UnknownBatch: there is no such batch.
    """
    batches = read_batches(connection, problem)
    for batch in batches:
        if batch["batch_id"] == batch_id:
            return batch
    known = ", ".join(batch["batch_id"] for batch in batches) or "none at all"
    raise UnknownBatch(f"There is no batch {batch_id!r} of {problem}. Known batches: {known}.")


def read_taken(connection: Connection, problem: str) -> set[str]:
    """Read the items that must not be drawn again: with a label, escalated, or in an open batch."""
    labelled = select(LABEL.c.item_id).where(LABEL.c.problem == problem, is_given())
    waiting = (
        select(REVIEW_ITEM.c.item_id)
        .join(REVIEW_BATCH, same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_BATCH.c.status == OPEN)
    )
    escalated = select(REVIEW_PASS.c.item_id).where(
        REVIEW_PASS.c.problem == problem, REVIEW_PASS.c.action == assignments.ESCALATE
    )
    return {item_id for query in (labelled, waiting, escalated) for item_id in connection.scalars(query)}


def same_batch(left: Table, right: Table) -> ColumnElement[bool]:
    """Join two tables of the desk on the batch."""
    return (left.c.problem == right.c.problem) & (left.c.batch_id == right.c.batch_id)


def same_item(left: Table, right: Table) -> ColumnElement[bool]:
    """Join two tables of the desk on the item of a batch."""
    return same_batch(left, right) & (left.c.item_id == right.c.item_id)


def write_batch(connection: Connection, batch: Batch, choices: Sequence[Choice]) -> None:
    """Put a batch on the desk, in the order of its choices."""
    where = {"problem": batch.problem, "batch_id": batch.batch_id}
    items = [where | asdict(choice) | {"position": position} for position, choice in enumerate(choices, start=1)]
    replace_rows(connection, REVIEW_BATCH, where, [asdict(batch) | _FRESH])
    replace_rows(connection, REVIEW_ITEM, where, items)
    assignments.make_assignments(connection, batch.problem, batch.batch_id)


def read_unanswered(connection: Connection, problem: str, batch_id: str) -> list[str]:
    """Read the items of a batch that nobody has answered in it, in the order of the batch."""
    answered = select(LABEL.c.item_id).where(LABEL.c.problem == problem, LABEL.c.batch_id == batch_id)
    query = (
        select(REVIEW_ITEM.c.item_id)
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
        .where(REVIEW_ITEM.c.item_id.not_in(answered))
        .order_by(REVIEW_ITEM.c.position)
    )
    return list(connection.scalars(query))


def write_answers(
    connection: Connection,
    problem: str,
    batch_id: str,
    answers: Mapping[str, str],
    *,
    classes: Collection[str],
    labelled_by: str,
    is_demo: bool,
    now: datetime,
    notes: Mapping[str, str] | None = None,
) -> int:
    """Store the answers of one reviewer; of two answers in one batch the later stands, the earlier is kept as history.

    Args:
        answers: item ids to classes.
        classes: the problem's classes.
        labelled_by: name of the user, or demo-reviewer.
        is_demo: whether recorded truth answered in a person's place.
        now: the time of the answers.
        notes: item ids to what the reviewer wrote beside the answer.

    Returns:
        how many answers were stored.

    Raises:
        MulgilError: an item is not in the batch, or an answer is not a class; nothing is stored.
    """
    query = select(REVIEW_ITEM.c.item_id, REVIEW_ITEM.c.arm).where(
        REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id
    )
    arms = {row.item_id: row.arm for row in connection.execute(query)}
    _require_known(answers, arms, f"are not in {batch_id} of {problem}")
    wrong = {item_id: label for item_id, label in answers.items() if label not in classes}
    _require_known(answers, answers.keys() - wrong.keys(), f"have an answer that is not one of {list(classes)}")
    rows = [
        {
            "problem": problem,
            "item_id": item_id,
            "labelled_by": labelled_by,
            "label": label,
            "batch_id": batch_id,
            "arm": arms[item_id],
            "is_demo": is_demo,
            "labelled_at_utc": now,
            "duration_ms": None,
            "note": (notes or {}).get(item_id),
        }
        for item_id, label in answers.items()
    ]
    assignments.settle_answers(connection, problem, batch_id, list(answers), labelled_by, is_for_all=is_demo)
    return store_answers(connection, rows, now)


def close_batch(connection: Connection, problem: str, batch_id: str, now: datetime) -> None:
    """Mark a batch answered, at the time of its last answer; a batch that is answered already stays as it is.

    Args:
        now: the time it counts as answered at when it has no answer at all, because every item was let go.
    """
    last_answer = select(func.max(LABEL.c.labelled_at_utc)).where(
        LABEL.c.problem == problem, LABEL.c.batch_id == batch_id
    )
    connection.execute(
        update(REVIEW_BATCH)
        .where(REVIEW_BATCH.c.problem == problem, REVIEW_BATCH.c.batch_id == batch_id, REVIEW_BATCH.c.status == OPEN)
        .values(status=ANSWERED, answered_at_utc=func.coalesce(last_answer.scalar_subquery(), now))
    )


def mark_announced(connection: Connection, problem: str, batch_id: str, now: datetime) -> None:
    """Note that Airflow was told of a batch's labels; the first time counts."""
    connection.execute(
        update(REVIEW_BATCH)
        .where(REVIEW_BATCH.c.problem == problem, REVIEW_BATCH.c.batch_id == batch_id)
        .values(announced_at_utc=func.coalesce(REVIEW_BATCH.c.announced_at_utc, now))
    )


def _require_known(answers: Mapping[str, str], known: Mapping[str, str] | set[str], what: str) -> None:
    """Refuse answers to items that are not known, and name the first.

    Raises:
        MulgilError: there are some.
    """
    unknown = [item_id for item_id in answers if item_id not in known]
    if unknown:
        raise MulgilError(
            f"{len(unknown)} of {len(answers)} answered items {what} (first: {unknown[0]!r}, "
            f"answered {answers[unknown[0]]!r}). Nothing was stored; load the batch again and answer it anew."
        )
