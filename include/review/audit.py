"""Writes down every write that somebody tried at the desk.

What belongs here: `core.review_audit`; rows are added and never changed. What does not: what is allowed.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from include.review.seats import Place
from include.warehouse.tables.desk import REVIEW_AUDIT

DONE = "done"
REFUSED = "refused"
LONGEST_NAME = 200  # characters kept of what a request names: it may be anything


@dataclass(frozen=True)
class Request:
    """Who asks for what, and where.

    Attributes:
        action: take, answer, skip, escalate, undo, open, leave or finish.
        person: user name.
        place: the item; without one, the batch.
        now: the database's clock.
        request_id: what the page calls it, so that it may ask again after a lost connection; None where asking twice
            does no harm.
    """

    action: str
    person: str
    place: Place
    now: datetime
    request_id: str | None = None


def write_done(
    connection: Connection, request: Request, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Write down what was done, in the transaction that did it."""
    _write(connection, request, result=DONE, before=before, after=after)


def write_refused(
    connection: Connection, request: Request, reason: str, asked: Mapping[str, Any] | None = None
) -> None:
    """Write down what was refused, and why."""
    _write(connection, request, result=REFUSED, reason=reason, after=asked)


def find_done(connection: Connection, request: Request) -> Mapping[str, Any] | None:
    """Read what came of a request that was done before; None where it is new."""
    if request.request_id is None:
        return None
    query = select(REVIEW_AUDIT.c.after).where(
        REVIEW_AUDIT.c.person == request.person,
        REVIEW_AUDIT.c.request_id == request.request_id,
        REVIEW_AUDIT.c.result == DONE,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.after or {})


def _write(connection: Connection, request: Request, **values: Any) -> None:
    place = request.place
    row = {
        "audit_id": str(uuid.uuid4()),
        "written_at_utc": request.now,
        "person": request.person,
        "action": request.action,
        "problem": place.problem[:LONGEST_NAME],
        "batch_id": place.batch_id[:LONGEST_NAME],
        "item_id": place.item_id[:LONGEST_NAME] or None,
        "request_id": request.request_id,
    }
    connection.execute(insert(REVIEW_AUDIT).values(row | values))
