"""Who holds which item: each answer that is wanted is a seat, and a seat has one person at most.

What belongs here: `core.review_seat`. What does not: what people say from their seat (`answering.py`).

A seat that is taken and not answered before it expires is there for others again; nothing has to sweep.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from include.warehouse.tables.desk import REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import REVIEW_ITEM

# So many different people who cannot say are enough: a third would be asked in vain.
SKIPS_TO_LET_GO = 2
SKIP = "skip"
ESCALATE = "escalate"


class Seat(StrEnum):
    """The states of a seat."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"
    PASSED = "passed"  # let go: nobody answers from it any more


# Constants, not parameters: only so does PostgreSQL know that its indexes of what waits and what is taken are enough.
_OPEN: ColumnElement[str] = literal_column(f"'{Seat.OPEN}'")
_TAKEN: ColumnElement[str] = literal_column(f"'{Seat.TAKEN}'")
_IS_WAITING = REVIEW_SEAT.c.state.in_([_OPEN, _TAKEN])
_IS_TAKEN = REVIEW_SEAT.c.state == _TAKEN
_EMPTY: dict[str, Any] = {
    "state": Seat.OPEN,
    "person": None,
    "taken_at_utc": None,
    "expires_at_utc": None,
    "shown": None,
}


@dataclass(frozen=True)
class Place:
    """A batch, and in it one item; where something happens."""

    problem: str
    batch_id: str
    item_id: str = ""

    @property
    def batch(self) -> tuple[ColumnElement[bool], ...]:
        """Select the seats of the batch."""
        return REVIEW_SEAT.c.problem == self.problem, REVIEW_SEAT.c.batch_id == self.batch_id

    @property
    def item(self) -> tuple[ColumnElement[bool], ...]:
        """Select the seats of the item."""
        return *self.batch, REVIEW_SEAT.c.item_id == self.item_id

    @property
    def names(self) -> dict[str, str]:
        """Give the three keys by their columns' names."""
        return {"problem": self.problem, "batch_id": self.batch_id, "item_id": self.item_id}


def make_seats(connection: Connection, problem: str, batch_id: str) -> None:
    """Make the seats of a batch from its items, all of them open."""
    place = Place(problem, batch_id)
    connection.execute(REVIEW_SEAT.delete().where(*place.batch))
    number = func.generate_series(1, REVIEW_ITEM.c.n_answers_wanted)
    items = select(
        REVIEW_ITEM.c.problem,
        REVIEW_ITEM.c.batch_id,
        REVIEW_ITEM.c.item_id,
        number,
        REVIEW_ITEM.c.position,
        REVIEW_ITEM.c.skill,
        literal(str(Seat.OPEN)),
    ).where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
    columns = ["problem", "batch_id", "item_id", "seat", "position", "skill", "state"]
    connection.execute(insert(REVIEW_SEAT).from_select(columns, items))


def take_seat(
    connection: Connection,
    place: Place,
    person: str,
    skills: Collection[str],
    *,
    now: datetime,
    lease: timedelta,
) -> RowMapping | None:
    """Give a person the item they hold already, or the next one that is free for them, and note until when.

    Rows that somebody else is just taking are stepped over, never waited for.

    Args:
        place: the batch.
        skills: what the person is trained for.
        now: the database's clock.
        lease: how long the item is kept for this person.

    Returns:
        the seat as it stands now; None where the batch has nothing for this person.
    """
    mine = (
        select(REVIEW_SEAT)
        .where(*place.batch, REVIEW_SEAT.c.person == person, _IS_TAKEN)
        .order_by(REVIEW_SEAT.c.position)
        .limit(1)
        .with_for_update()
    )
    free = (
        select(REVIEW_SEAT)
        .where(*place.batch, _is_free(now), _is_for(place, person, skills))
        .order_by(REVIEW_SEAT.c.position, REVIEW_SEAT.c.seat)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    held = connection.execute(mine).mappings().one_or_none()
    seat = held or connection.execute(free).mappings().one_or_none()
    if seat is None:
        return None
    return _change(
        connection,
        seat,
        state=Seat.TAKEN,
        person=person,
        # Who comes back in time has looked at it since it was first shown; who comes back late looks at it anew.
        taken_at_utc=held["taken_at_utc"] if held and held["expires_at_utc"] > now else now,
        expires_at_utc=now + lease,
        **({} if held else {"shown": None}),
    )


def find_own(connection: Connection, place: Place, person: str) -> RowMapping | None:
    """Read the seat of an item that a person holds or has answered from, and keep it from changing meanwhile."""
    query = select(REVIEW_SEAT).where(*place.item, REVIEW_SEAT.c.person == person).with_for_update()
    return connection.execute(query).mappings().one_or_none()


def read_seats(connection: Connection, place: Place) -> list[RowMapping]:
    """Read the seats of an item."""
    return list(connection.execute(select(REVIEW_SEAT).where(*place.item).order_by(REVIEW_SEAT.c.seat)).mappings())


def write_shown(connection: Connection, seat: RowMapping, shown: Mapping[str, Any]) -> None:
    """Note what a person sees of the item that they hold."""
    _change(connection, seat, shown=dict(shown))


def settle(connection: Connection, seat: RowMapping, state: Seat) -> None:
    """Note that a person answered from a seat, or let it go."""
    _change(connection, seat, state=state)


def take_back(connection: Connection, seat: RowMapping, *, person: str, now: datetime, lease: timedelta) -> RowMapping:
    """Give a seat to a person again, as if it had just been shown."""
    return _change(connection, seat, state=Seat.TAKEN, person=person, taken_at_utc=now, expires_at_utc=now + lease)


def give_back(connection: Connection, seat: RowMapping) -> None:
    """Leave a seat to others."""
    _change(connection, seat, **_EMPTY)


def give_back_all(connection: Connection, place: Place, person: str) -> list[str]:
    """Leave to others whatever a person holds of a batch; name the items."""
    held = (*place.batch, REVIEW_SEAT.c.person == person, _IS_TAKEN)
    return sorted(
        connection.scalars(update(REVIEW_SEAT).where(*held).values(**_EMPTY).returning(REVIEW_SEAT.c.item_id))
    )


def let_go(connection: Connection, place: Place) -> None:
    """Ask nobody about an item any more; who has answered has answered."""
    connection.execute(update(REVIEW_SEAT).where(*place.item, _IS_WAITING).values(**_EMPTY | {"state": Seat.PASSED}))


def ask_again(connection: Connection, place: Place) -> None:
    """Open the seats of an item that was let go."""
    connection.execute(update(REVIEW_SEAT).where(*place.item, REVIEW_SEAT.c.state == Seat.PASSED).values(**_EMPTY))


def is_given_up(connection: Connection, place: Place) -> bool:
    """Say whether an item should be let go: somebody escalated it, or enough people could not say."""
    query = select(REVIEW_PASS.c.action).where(*(REVIEW_PASS.c[name] == value for name, value in place.names.items()))
    actions = list(connection.scalars(query))
    return ESCALATE in actions or len(actions) >= SKIPS_TO_LET_GO


def release_overdue(connection: Connection, problem: str, batch_id: str, *, now: datetime, due: datetime) -> None:
    """After the due time, ask nobody any more about items that one person could not answer.

    Before it a skipped item waits for another person; a team of one would wait for ever.
    """
    if now <= due:
        return
    skipped = select(REVIEW_PASS.c.item_id).where(REVIEW_PASS.c.problem == problem, REVIEW_PASS.c.batch_id == batch_id)
    answered = (
        select(REVIEW_SEAT.c.item_id)
        .where(*Place(problem, batch_id).batch, REVIEW_SEAT.c.state == Seat.ANSWERED)
        .distinct()
    )
    connection.execute(
        update(REVIEW_SEAT)
        .where(
            *Place(problem, batch_id).batch,
            or_(REVIEW_SEAT.c.state == _OPEN, REVIEW_SEAT.c.expires_at_utc <= now),
            _IS_WAITING,
            or_(REVIEW_SEAT.c.item_id.in_(skipped), REVIEW_SEAT.c.item_id.in_(answered)),
        )
        .values(**_EMPTY | {"state": Seat.PASSED})
    )


def settle_answers(
    connection: Connection, problem: str, batch_id: str, items: Sequence[str], person: str, *, is_for_all: bool
) -> None:
    """Note answers that did not come from the desk: one seat of each item, or all of them.

    Args:
        is_for_all: whether nobody else has to answer; so with recorded truth, which would only agree with itself.
    """
    batch = (*Place(problem, batch_id).batch, REVIEW_SEAT.c.item_id.in_(items))
    if is_for_all:
        connection.execute(update(REVIEW_SEAT).where(*batch).values(**_EMPTY | {"state": Seat.ANSWERED}))
        return
    other = REVIEW_SEAT.alias("other")
    seats = (
        select(REVIEW_SEAT.c.item_id, func.min(REVIEW_SEAT.c.seat).label("seat"))
        .where(*batch, _IS_WAITING)
        .where(
            or_(
                REVIEW_SEAT.c.person == person,
                REVIEW_SEAT.c.state == _OPEN,
            ),
            ~exists().where(_same_item(other), other.c.person == person, other.c.seat != REVIEW_SEAT.c.seat),
        )
        .group_by(REVIEW_SEAT.c.item_id)
        .subquery()
    )
    connection.execute(
        update(REVIEW_SEAT)
        .where(*batch, REVIEW_SEAT.c.item_id == seats.c.item_id, REVIEW_SEAT.c.seat == seats.c.seat)
        .values(**_EMPTY | {"state": Seat.ANSWERED, "person": person})
    )


def list_let_go(connection: Connection, problem: str, batch_id: str) -> list[str]:
    """Name the items that nobody is asked about any more."""
    query = select(REVIEW_SEAT.c.item_id).where(*Place(problem, batch_id).batch, REVIEW_SEAT.c.state == Seat.PASSED)
    return sorted(set(connection.scalars(query)))


def is_anything_waiting(connection: Connection, problem: str, batch_id: str) -> bool:
    """Say whether any answer is still wanted; one look at an index, however large the batch is."""
    query = select(literal(1)).where(*Place(problem, batch_id).batch, _IS_WAITING).limit(1)
    return connection.scalar(query) is not None


def is_anything_free(
    connection: Connection, problem: str, batch_id: str, person: str, skills: Collection[str], now: datetime
) -> bool:
    """Say whether a person would get an item of a batch now."""
    mine = REVIEW_SEAT.c.person == person
    place = Place(problem, batch_id)
    free = _is_free(now) & _is_for(place, person, skills)
    return any(
        connection.scalar(select(literal(1)).where(*place.batch, wanted).limit(1)) is not None
        for wanted in (_IS_TAKEN & mine, free)
    )


def _change(connection: Connection, seat: RowMapping, **values: Any) -> RowMapping:
    """Write one seat, and read it back."""
    keys = (REVIEW_SEAT.c[name] == seat[name] for name in ("problem", "batch_id", "item_id", "seat"))
    return connection.execute(update(REVIEW_SEAT).where(*keys).values(**values).returning(REVIEW_SEAT)).mappings().one()


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Select seats that nobody holds any more."""
    return _IS_WAITING & ((REVIEW_SEAT.c.state == _OPEN) | (REVIEW_SEAT.c.expires_at_utc <= now))


def _is_for(place: Place, person: str, skills: Collection[str]) -> ColumnElement[bool]:
    """Select seats of a batch that a person may take: trained for them, not asked about the item before.

    What they were asked is one list for the whole query: a question for each seat would cost more with every answer.
    """
    asked, passed = REVIEW_SEAT.alias("asked"), REVIEW_PASS
    mine = (
        select(table.c.item_id).where(
            table.c.problem == place.problem, table.c.batch_id == place.batch_id, table.c.person == person
        )
        for table in (asked, passed)
    )
    return and_(
        or_(REVIEW_SEAT.c.skill.is_(None), REVIEW_SEAT.c.skill.in_(sorted(skills))),
        *(REVIEW_SEAT.c.item_id.not_in(items) for items in mine),
    )


def _same_item(other: Any) -> ColumnElement[bool]:
    """Join the seats of one item."""
    return and_(*(other.c[name] == REVIEW_SEAT.c[name] for name in ("problem", "batch_id", "item_id")))
