"""When a batch is finished: every item has the answers it wants, or nobody can give them.

What belongs here: that one decision, for the desk, the demo reviewer and labels from files. What does not: storing
answers (`batches/store.py`).
"""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from include.names import Coverage, Stage
from include.review.batches import assignments, trust
from include.review.batches import store as batches
from include.warehouse import coverage
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import LABEL, REVIEW_ITEM

ALERT_ID = "review_overdue"


def finish_batch_if_complete(
    connection: Connection,
    problem: str,
    batch_id: str,
    now: datetime,
    *,
    run_id: str | None = None,
) -> bool:
    """Close a batch when nothing in it waits any more; a batch that is closed already stays as it is.

    Time alone never closes a batch and never gives a label: an overdue batch with an unanswered item stays open.

    Args:
        now: with it, what the batch's due time has released.
        run_id: Airflow run, where there is one.

    Returns:
        whether the batch is finished; who sees that announces the asset `labels/<problem>` with the batch as its key.

    Raises:
        UnknownBatch: there is no such batch.
    """
    batches.hold_desk(connection, problem)
    batch = batches.find_batch(connection, problem, batch_id)
    if batch["status"] == batches.OPEN:
        assignments.release_overdue(connection, problem, batch_id, now=now, due=batch["due_at_utc"])
        if read_waiting(connection, problem, batch_id, now=now):
            return False
        if now <= batch["due_at_utc"] and ask_about_splits(connection, problem, batch_id):
            return False
        # Before anybody is told that there is something to learn from.
        trust.flag_fast_answers(connection, problem, batch_id, now)
        batches.close_batch(connection, problem, batch_id, now)
        close_alert(connection, problem, batch_id)
        coverage.mark(connection, problem, Stage.REVIEW, batch_id, Coverage.DONE, run_id=run_id)
    return True


def ask_about_splits(connection: Connection, problem: str, batch_id: str) -> int:
    """Ask one more person about each item whose people differ, up to the most that should answer it.

    Returns:
        how many items wait again.
    """
    of_batch = (REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
    split = (
        select(LABEL.c.item_id)
        .where(LABEL.c.problem == problem, LABEL.c.batch_id == batch_id)
        .group_by(LABEL.c.item_id)
        .having(func.count(LABEL.c.label.distinct()) > 1)
    )
    raised = (
        update(REVIEW_ITEM)
        .where(*of_batch, REVIEW_ITEM.c.n_answers_most > REVIEW_ITEM.c.n_answers_wanted)
        .where(REVIEW_ITEM.c.item_id.in_(split))
        .values(n_answers_wanted=REVIEW_ITEM.c.n_answers_wanted + 1)
        .returning(REVIEW_ITEM)
    )
    rows = connection.execute(raised).mappings().all()
    assignments.add_assignments(connection, rows)
    return len(rows)


def close_alert(connection: Connection, problem: str, batch_id: str) -> None:
    """Take back the alert that a batch was overdue."""
    connection.execute(
        delete(ALERT).where(ALERT.c.problem == problem, ALERT.c.partition_key == batch_id, ALERT.c.alert_id == ALERT_ID)
    )


def read_waiting(connection: Connection, problem: str, batch_id: str, *, now: datetime) -> list[str]:
    """Name the items that a batch still waits for, in the order of the batch.

    An item waits until as many people have answered it as should. Recorded truth counts for all of them: asked twice
    it would only agree with itself. After the due time one answer is enough, so that a team of one is never stuck. What
    was escalated, or skipped by enough people, is let go: nobody waits for it.
    """
    is_overdue = now > batches.find_batch(connection, problem, batch_id)["due_at_utc"]
    answered = (
        select(
            LABEL.c.item_id,
            func.count().label("n_answers"),
            func.bool_or(LABEL.c.is_demo).label("is_demo"),
        )
        .where(LABEL.c.problem == problem, LABEL.c.batch_id == batch_id)
        .group_by(LABEL.c.item_id)
        .subquery()
    )
    query = (
        select(REVIEW_ITEM.c.item_id, REVIEW_ITEM.c.n_answers_wanted, answered.c.n_answers, answered.c.is_demo)
        .outerjoin(answered, answered.c.item_id == REVIEW_ITEM.c.item_id)
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
        .order_by(REVIEW_ITEM.c.position)
    )
    gone = set(assignments.list_let_go(connection, problem, batch_id))
    return [
        row.item_id
        for row in connection.execute(query)
        if row.item_id not in gone
        and not row.is_demo
        and (row.n_answers or 0) < (1 if is_overdue else row.n_answers_wanted)
    ]
