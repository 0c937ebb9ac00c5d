"""Marks the models that learned from labels which a lead took out since; they go on serving.

What belongs here: the mark, a note of the version. What does not: taking labels out (review room), or a model (the DAG
`rollback`).
"""

from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, literal, or_, select, tuple_

from include.names import Arm
from include.partition_keys import sort_key
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.review import LABEL, LABEL_FLAG, PERSON_BLOCK
from include.warehouse.trusted_labels import Trust

TOPIC = "withdrawn labels"


def mark_models(connection: Connection, problem: str) -> list[str]:
    """Mark the versions that learned from labels which were withdrawn later; where none is any more, the mark goes.

    Who marks at the same moment waits until the caller's transaction ends, and counts what it has changed.

    Returns:
        the versions that are marked.
    """
    lock_until_commit(connection, "model notes", problem)
    query = select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.trained_at_utc).where(
        MODEL_VERSION.c.problem == problem
    )
    marked = []
    for version, trained_at in connection.execute(query.order_by(MODEL_VERSION.c.model_version)):
        n_labels, people = _count(connection, problem, version, trained_at)
        about = {"problem": problem, "model_version": version, "topic": TOPIC}
        note = (
            f"{n_labels} of the answers that it learned from, by {people}, were withdrawn since. It goes on serving; "
            "the next training leaves them out, and `rollback` takes it out at once."
        )
        replace_rows(connection, MODEL_NOTE, about, [about | {"note": note}] if n_labels else [])
        marked += [version] if n_labels else []
    return marked


def _count(connection: Connection, problem: str, version: str, trained_at: datetime) -> tuple[int, str]:
    """Count the answers that a version learned from and that were withdrawn since, and name their people."""
    length, text = sort_key(version.rpartition("-")[0])
    is_flagged = and_(
        LABEL_FLAG.c.problem == LABEL.c.problem,
        LABEL_FLAG.c.batch_id == LABEL.c.batch_id,
        LABEL_FLAG.c.labelled_by == LABEL.c.labelled_by,
        LABEL_FLAG.c.status == Trust.WITHDRAWN,
        LABEL_FLAG.c.flagged_at_utc > trained_at,
    )
    is_blocked = and_(
        PERSON_BLOCK.c.problem == LABEL.c.problem,
        PERSON_BLOCK.c.labelled_by == LABEL.c.labelled_by,
        PERSON_BLOCK.c.lifted_at_utc.is_(None),
        PERSON_BLOCK.c.blocked_at_utc > trained_at,
    )
    query = select(func.count(), func.string_agg(LABEL.c.labelled_by.distinct(), literal(", "))).where(
        LABEL.c.problem == problem,
        LABEL.c.arm != Arm.GOLD,
        tuple_(func.length(LABEL.c.batch_id), LABEL.c.batch_id) <= tuple_(literal(length), literal(text)),
        or_(exists().where(is_flagged), exists().where(is_blocked)),
    )
    n_labels, people = connection.execute(query).one()
    return n_labels, people or ""
