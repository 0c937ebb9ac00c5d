"""One request to the desk: a transaction of its own, done once, and written down whatever becomes of it.

What belongs here: `core.review_audit`, and what all writes share. What does not: what is allowed, and what is done.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from include.errors import DeskRefused
from include.review.batches.assignments import Place
from include.review.desk.refusals import Refusal
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.desk import REVIEW_AUDIT

DONE = "done"
REFUSED = "refused"
LONGEST_NAME = 200  # characters kept of what a request names: it may be anything
COUNTED = "n_times"  # in `after`, of a row that stands for all its like of one minute
_NAMES = uuid.UUID("5d0c2c1e-6f0e-4c39-9b6e-0b9f2f5ad0a1")  # of rows that count; any fixed one does

Document = Mapping[str, object]  # of JSON


@dataclass(frozen=True)
class Request:
    """Who asks for what, and where.

    Attributes:
        action: take, answer, skip, escalate, undo, open, leave, finish, accept or withdraw.
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


@dataclass
class Write:
    """A request while it is being done.

    Attributes:
        connection: in the request's own transaction.
        done: what came of it when it was done before, so that nothing is to do now; None where it is new.
    """

    connection: Connection
    request: Request
    done: dict[str, object] | None
    before: Document | None = None
    after: Document | None = None
    is_news: bool = True

    def record(self, before: Document | None, after: Document | None, *, is_news: bool = True) -> None:
        """Say what stood there and what stands there now; what changed nothing is counted, not listed."""
        self.before, self.after, self.is_news = before, after, is_news


@contextmanager
def writing(engine: Engine, action: str, place: Place, person: str, request_id: str | None = None) -> Iterator[Write]:
    """Do what a request asks in one transaction, and write it down.

    One person's requests wait for each other: two tabs, or one request sent twice, never meet.

    Raises:
        DeskRefused: it was refused; the refusal is in the audit, and nothing else changed.
    """
    try:
        with engine.begin() as connection:
            lock_until_commit(connection, "desk", person)
            request = Request(action, person, place, read_clock(connection), request_id)
            write = Write(connection, request, _find_done(connection, request))
            yield write
            if write.done is None:
                _write(connection, request, DONE, None, write.before, write.after, is_counted=not write.is_news)
    except IntegrityError as error:
        # A file of labels settled the same assignment for the same person at the same moment.
        raise DeskRefused(Refusal.NOT_HELD) from error
    except DeskRefused as error:
        # What was begun is taken back; the refusal is kept. Savepoints would keep both in one transaction, and cost
        # every answer that is not refused two more questions to the database.
        write_refused(engine, action, place, person, error.code, error.values, request_id)
        raise


def write_refused(
    engine: Engine,
    action: str,
    place: Place,
    person: str,
    reason: str,
    asked: Document | None = None,
    request_id: str | None = None,
) -> None:
    """Write down what was refused, and why: one row for all that is refused to a person for one reason in a minute."""
    with engine.begin() as connection:
        request = Request(action, person, place, read_clock(connection), request_id)
        _write(connection, request, REFUSED, reason, None, asked, is_counted=True)


def write_finished(connection: Connection, request: Request, before: Document, after: Document) -> None:
    """Write down the end of a batch, in the transaction that ended it."""
    _write(connection, request, DONE, None, before, after, is_counted=False)


def was_any_done(connection: Connection, person: str, place: Place, request_ids: Collection[str]) -> bool:
    """Say whether one of a person's earlier requests about an item had arrived."""
    query = select(func.count()).where(
        REVIEW_AUDIT.c.person == person,
        REVIEW_AUDIT.c.request_id.in_(request_ids),
        REVIEW_AUDIT.c.result == DONE,
        *(REVIEW_AUDIT.c[name] == value for name, value in place.names.items()),
    )
    return bool(request_ids) and connection.scalar(query) != 0


def read_clock(connection: Connection) -> datetime:
    """Ask the database what time it is: the one clock that all servers of a desk share."""
    return connection.execute(select(func.now())).scalar_one()


def _find_done(connection: Connection, request: Request) -> dict[str, object] | None:
    """Read what came of a request that was done before; None where it is new.

    Raises:
        DeskRefused: it was another request that had this name.
    """
    if request.request_id is None:
        return None
    query = select(REVIEW_AUDIT.c.action, REVIEW_AUDIT.c.item_id, REVIEW_AUDIT.c.after).where(
        REVIEW_AUDIT.c.person == request.person,
        REVIEW_AUDIT.c.request_id == request.request_id,
        REVIEW_AUDIT.c.result == DONE,
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if (row.action, row.item_id) != (request.action, request.place.item_id):
        raise DeskRefused(Refusal.MALFORMED)
    return dict(row.after or {})


def _write(
    connection: Connection,
    request: Request,
    result: str,
    reason: str | None,
    before: Document | None,
    after: Document | None,
    *,
    is_counted: bool,
) -> None:
    """Add a row; one that is counted is the first of its like in its minute, or adds one to it."""
    place = request.place
    problem = place.problem[:LONGEST_NAME]
    row: dict[str, object] = {
        "audit_id": str(uuid.uuid4()),
        "written_at_utc": request.now,
        "person": request.person,
        "action": request.action,
        "problem": problem,
        "batch_id": place.batch_id[:LONGEST_NAME],
        "item_id": place.item_id[:LONGEST_NAME] or None,
        "before": before,
        "after": after,
        "result": result,
        "reason": reason,
        "request_id": request.request_id,
    }
    if not is_counted:
        connection.execute(REVIEW_AUDIT.insert().values(row))
        return
    # Not by batch or item: whoever makes up names must not make up rows.
    like = (request.person, f"{request.now:%Y-%m-%dT%H:%M}", request.action, problem, result, str(reason))
    row |= {"audit_id": str(uuid.uuid5(_NAMES, "\x1f".join(like))), "after": {**(after or {}), COUNTED: 1}}
    n_before = cast(REVIEW_AUDIT.c.after[COUNTED].astext, Integer)
    counted = REVIEW_AUDIT.c.after.concat(func.jsonb_build_object(COUNTED, n_before + 1))
    connection.execute(
        upsert(REVIEW_AUDIT).values(row).on_conflict_do_update(index_elements=["audit_id"], set_={"after": counted})
    )
