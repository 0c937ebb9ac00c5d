"""People whose answers a lead has taken out: kept as they are, and counted nowhere until that is taken back.

What belongs here: `core.person_block`. What does not: which labels count (`warehouse/trusted_labels.py`), single
batches that wait for a lead (`batches/trust.py`).
"""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, update

from include.errors import MulgilError
from include.review.batches import assignments
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL, PERSON_BLOCK
from include.warehouse.withdrawn_labels import mark_models

_STANDS = (PERSON_BLOCK.c.lifted_at_utc.is_(None),)


def block_person(
    connection: Connection, problem: str, labelled_by: str, *, reason: str, blocked_by: str, now: datetime
) -> int:
    """Take out what a person said, let others have what they hold, and take nothing more from them.

    Their answers stay as history; training is without them from now on, and so is whatever is measured
    (`desk/blocking.py` does it at once); items that nobody else answered can be asked again, and models that learned
    from them are marked. A block that stands already stays as it is.

    Returns:
        how many answers of theirs there are.

    Raises:
        MulgilError: it is the lead's own name, there is no reason, or nobody of that name ever answered.
    """
    n_labels = connection.scalar(
        select(func.count()).where(LABEL.c.problem == problem, LABEL.c.labelled_by == labelled_by, ~LABEL.c.is_demo)
    )
    if labelled_by == blocked_by or not reason.strip() or not n_labels:
        raise MulgilError(
            f"{labelled_by!r} has {n_labels or 0} answers to {problem} and was not blocked. A block names somebody "
            "else who has answered, and a reason of one sentence."
        )
    if labelled_by in read_blocked(connection, problem):
        return n_labels  # said once: whoever says it again changes neither when nor why
    block = {
        "problem": problem,
        "labelled_by": labelled_by,
        "n_labels": n_labels,
        "reason": reason.strip(),
        "blocked_by": blocked_by,
        "blocked_at_utc": now,
        "lifted_by": None,
        "lifted_at_utc": None,
    }
    upsert_rows(connection, PERSON_BLOCK, [block])
    assignments.give_back_everything(connection, problem, labelled_by)
    mark_models(connection, problem)
    return n_labels


def lift_block(connection: Connection, problem: str, labelled_by: str, *, lifted_by: str, now: datetime) -> int:
    """Let a person's answers count again, all of them, as if they had never been taken out.

    Returns:
        how many answers they had given when they were blocked.

    Raises:
        MulgilError: nobody of that name is blocked, or it is the lead's own name.
    """
    ours = (PERSON_BLOCK.c.problem == problem, PERSON_BLOCK.c.labelled_by == labelled_by, *_STANDS)
    lift = update(PERSON_BLOCK).where(*ours).values(lifted_by=lifted_by, lifted_at_utc=now)
    n_labels = connection.scalar(lift.returning(PERSON_BLOCK.c.n_labels)) if labelled_by != lifted_by else None
    if n_labels is None:
        raise MulgilError(f"{labelled_by!r} is not blocked in {problem}, or would lift their own block. Reload.")
    mark_models(connection, problem)
    return int(n_labels)


def read_blocks(connection: Connection, problem: str) -> list[RowMapping]:
    """Read whom a lead has blocked, those whose block stands first."""
    query = (
        select(PERSON_BLOCK)
        .where(PERSON_BLOCK.c.problem == problem)
        .order_by(PERSON_BLOCK.c.lifted_at_utc.is_not(None), PERSON_BLOCK.c.labelled_by)
    )
    return list(connection.execute(query).mappings())


def read_blocked(connection: Connection, problem: str) -> set[str]:
    """Name the people who are blocked now."""
    return set(
        connection.scalars(select(PERSON_BLOCK.c.labelled_by).where(PERSON_BLOCK.c.problem == problem, *_STANDS))
    )
