"""Looks after batches that nobody is looking at: those that are ready, overdue, or whose end nobody announced.

What belongs here: the warehouse's side of it. What does not: answers, which only people give (and recorded truth).
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from include.names import Stage
from include.problems.schema import Problem
from include.review.batches import store as batches
from include.review.batches.completion import ALERT_ID, finish_batch_if_complete, read_waiting
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import REVIEW_BATCH
from include.warehouse.tables.runs import RUN_STEP

# Whoever finishes a batch announces it at once; only what is older was lost.
PATIENCE = timedelta(minutes=10)


def finish_ready_batches(connection: Connection, problem: str, now: datetime, run_id: str) -> list[str]:
    """Close every open batch that waits for nothing any more; time releases second answers, never first ones."""
    return [
        batch["batch_id"]
        for batch in batches.read_batches(connection, problem)
        if batch["status"] == batches.OPEN
        and finish_batch_if_complete(connection, problem, batch["batch_id"], now, run_id=run_id)
    ]


def escalate_overdue(connection: Connection, problem: Problem, now: datetime) -> list[str]:
    """Bring each overdue batch to the problem's escalation, once: an alert stands until the batch is finished.

    Returns:
        the batches that were escalated now.
    """
    escalated = []
    for batch in batches.read_batches(connection, problem.name):
        if batch["status"] != batches.OPEN or batch["due_at_utc"] >= now or batch["escalated_at_utc"] is not None:
            continue
        n_waiting = len(read_waiting(connection, problem.name, batch["batch_id"], now=now))
        alert = {
            "problem": problem.name,
            "partition_key": batch["batch_id"],
            "alert_id": ALERT_ID,
            "metric": "n_waiting",
            "subject": batch["batch_id"],
            "value": float(n_waiting),
            "bound": 0.0,
            "action": "review",
            "message": f"{n_waiting} of {batch['n_items']} items of {batch['batch_id']} were not answered by "
            f"{batch['due_at_utc']:%Y-%m-%d %H:%M} UTC. {problem.escalation}: find somebody who answers them, or raise "
            "review.due. Nothing was answered in their place.",
            "opened_at_utc": now,
        }
        upsert_rows(connection, ALERT, [alert])
        connection.execute(
            update(REVIEW_BATCH)
            .where(REVIEW_BATCH.c.problem == problem.name, REVIEW_BATCH.c.batch_id == batch["batch_id"])
            .values(escalated_at_utc=now)
        )
        escalated.append(batch["batch_id"])
    return escalated


def find_unannounced(connection: Connection, problem: str, now: datetime, known: Collection[str]) -> list[str]:
    """Name the finished batches that training never looked at: their announcement was lost.

    Args:
        known: batches that are announced anyway.
    """
    looked_at = set(
        connection.scalars(
            select(RUN_STEP.c.partition_key).where(
                RUN_STEP.c.problem == problem, RUN_STEP.c.stage == str(Stage.TRAIN), RUN_STEP.c.step == "plan_training"
            )
        )
    )
    return [
        batch["batch_id"]
        for batch in batches.read_batches(connection, problem)
        if batch["status"] == batches.ANSWERED
        and batch["answered_at_utc"] < now - PATIENCE
        and batch["batch_id"] not in looked_at
        and batch["batch_id"] not in known
    ]
