"""Which labels count: all but those that a lead has not accepted yet, has withdrawn, or of people who are blocked.

What belongs here: the condition that every reader of labels shares. What does not: who is
flagged and why (review room).
"""

from enum import StrEnum

from sqlalchemy import ColumnElement, Table, exists

from include.warehouse.tables.review import LABEL, LABEL_FLAG, PERSON_BLOCK


class Trust(StrEnum):
    """What a lead thinks of flagged answers."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


def is_relied_on() -> ColumnElement[bool]:
    """Select labels that nobody has flagged, or that a lead accepted, of people who are not blocked."""
    return ~_has_flag(Trust.WAITING, Trust.WITHDRAWN) & ~is_of_blocked(LABEL)


def is_given() -> ColumnElement[bool]:
    """Select labels that were not withdrawn: their items have been answered, whether or not that is relied on yet."""
    return ~_has_flag(Trust.WITHDRAWN) & ~is_of_blocked(LABEL)


def is_of_blocked(said: Table) -> ColumnElement[bool]:
    """Select rows of a table of answers by people whom a lead has blocked.

    Args:
        said: has columns problem and labelled_by.
    """
    return exists().where(
        PERSON_BLOCK.c.problem == said.c.problem,
        PERSON_BLOCK.c.labelled_by == said.c.labelled_by,
        PERSON_BLOCK.c.lifted_at_utc.is_(None),
    )


def _has_flag(*states: Trust) -> ColumnElement[bool]:
    """Select labels whose person and batch have a flag in one of some states."""
    return exists().where(
        LABEL_FLAG.c.problem == LABEL.c.problem,
        LABEL_FLAG.c.batch_id == LABEL.c.batch_id,
        LABEL_FLAG.c.labelled_by == LABEL.c.labelled_by,
        LABEL_FLAG.c.status.in_(states),
    )
