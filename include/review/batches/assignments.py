"""Who holds which item: each answer that is wanted is an assignment, and an assignment has one person at most.

What belongs here: `core.review_seat`. What does not: what people say from their assignment (`desk/actions.py`).

An assignment that is taken and not answered before it expires is there for others again; nothing has to sweep.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
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

from include.names import Arm
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.desk import REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import LABEL, REVIEW_ITEM

# So many different people who cannot say are enough: a third would be asked in vain.
SKIPS_TO_LET_GO = 2
SKIP = "skip"
ESCALATE = "escalate"


class AssignmentState(StrEnum):
    """The states of an assignment."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"
    PASSED = "passed"  # let go: nobody answers from it any more


# Constants, not parameters: only so does PostgreSQL know that its indexes of what waits and what is taken are enough.
_OPEN: ColumnElement[str] = literal_column(f"'{AssignmentState.OPEN}'")
_TAKEN: ColumnElement[str] = literal_column(f"'{AssignmentState.TAKEN}'")
_IS_WAITING = REVIEW_SEAT.c.state.in_([_OPEN, _TAKEN])
_IS_TAKEN = REVIEW_SEAT.c.state == _TAKEN
_EMPTY: dict[str, object] = {
    "state": AssignmentState.OPEN,
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
        """Select the assignments of the batch."""
        return REVIEW_SEAT.c.problem == self.problem, REVIEW_SEAT.c.batch_id == self.batch_id

    @property
    def item(self) -> tuple[ColumnElement[bool], ...]:
        """Select the assignments of the item."""
        return *self.batch, REVIEW_SEAT.c.item_id == self.item_id

    @property
    def names(self) -> dict[str, str]:
        """Give the three keys by their columns' names."""
        return {"problem": self.problem, "batch_id": self.batch_id, "item_id": self.item_id}


@dataclass(frozen=True)
class Taken:
    """An assignment that a person holds, and whether they came to it just now."""

    assignment: RowMapping
    is_new: bool


def make_assignments(connection: Connection, problem: str, batch_id: str) -> None:
    """Make the assignments of a batch from its items, all of them open."""
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
        literal(str(AssignmentState.OPEN)),
    ).where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
    columns = ["problem", "batch_id", "item_id", "seat", "position", "skill", "state"]
    connection.execute(insert(REVIEW_SEAT).from_select(columns, items))


def add_assignments(connection: Connection, items: Sequence[RowMapping]) -> None:
    """Make one more assignment of each item, numbered as many as its answers that are wanted now."""
    names = ("problem", "batch_id", "item_id", "position", "skill")
    rows = [{name: item[name] for name in names} | {"seat": item["n_answers_wanted"]} for item in items]
    if rows:
        connection.execute(insert(REVIEW_SEAT), [row | {"state": AssignmentState.OPEN} for row in rows])


def take_assignment(
    connection: Connection,
    place: Place,
    person: str,
    skills: Collection[str],
    *,
    now: datetime,
    lease: timedelta,
) -> Taken | None:
    """Give a person the item they hold already, or the next one that is free for them, and note until when.

    Rows that somebody else is just taking are stepped over, never waited for.

    Args:
        place: the batch.
        skills: what the person is trained for.
        now: the database's clock.
        lease: how long the item is kept for this person.

    Returns:
        the assignment as it stands now, and whether they did not have it before; None where there is nothing for this
        person.
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
    assignment = held or connection.execute(free).mappings().one_or_none()
    if assignment is None:
        return None
    now_theirs = _change(
        connection,
        assignment,
        state=AssignmentState.TAKEN,
        person=person,
        # Who comes back in time has looked at it since it was first shown; who comes back late looks at it anew.
        taken_at_utc=held["taken_at_utc"] if held and held["expires_at_utc"] > now else now,
        expires_at_utc=now + lease,
        **({} if held else {"shown": None}),
    )
    return Taken(now_theirs, is_new=held is None)


def find_own(connection: Connection, place: Place, person: str) -> RowMapping | None:
    """Read the assignment of an item that a person holds or has answered from, and keep it from changing meanwhile."""
    query = select(REVIEW_SEAT).where(*place.item, REVIEW_SEAT.c.person == person).with_for_update()
    return connection.execute(query).mappings().one_or_none()


def read_assignments(connection: Connection, place: Place) -> list[RowMapping]:
    """Read the assignments of an item."""
    return list(connection.execute(select(REVIEW_SEAT).where(*place.item).order_by(REVIEW_SEAT.c.seat)).mappings())


def write_shown(connection: Connection, assignment: RowMapping, shown: Mapping[str, object]) -> RowMapping:
    """Note what a person sees of the item that they hold; give the assignment as it stands now."""
    return _change(connection, assignment, shown=dict(shown))


def settle(connection: Connection, assignment: RowMapping, state: AssignmentState) -> None:
    """Note that a person answered from an assignment, or let it go."""
    _change(connection, assignment, state=state)


def take_back(
    connection: Connection, assignment: RowMapping, *, person: str, now: datetime, lease: timedelta
) -> RowMapping:
    """Give an assignment to a person again, as if it had just been shown."""
    return _change(
        connection, assignment, state=AssignmentState.TAKEN, person=person, taken_at_utc=now, expires_at_utc=now + lease
    )


def give_back(connection: Connection, assignment: RowMapping) -> None:
    """Leave an assignment to others."""
    _change(connection, assignment, **_EMPTY)


def give_back_all(connection: Connection, place: Place, person: str) -> list[str]:
    """Leave to others whatever a person holds of a batch; name the items."""
    held = (*place.batch, REVIEW_SEAT.c.person == person, _IS_TAKEN)
    return sorted(
        connection.scalars(update(REVIEW_SEAT).where(*held).values(**_EMPTY).returning(REVIEW_SEAT.c.item_id))
    )


def give_back_everything(connection: Connection, problem: str, person: str) -> None:
    """Leave to others whatever a person holds of any batch of a problem."""
    held = (REVIEW_SEAT.c.problem == problem, REVIEW_SEAT.c.person == person, _IS_TAKEN)
    connection.execute(update(REVIEW_SEAT).where(*held).values(**_EMPTY))


def let_go(connection: Connection, place: Place) -> None:
    """Ask nobody about an item any more; who has answered has answered."""
    connection.execute(
        update(REVIEW_SEAT).where(*place.item, _IS_WAITING).values(**_EMPTY | {"state": AssignmentState.PASSED})
    )


def ask_again(connection: Connection, place: Place) -> None:
    """Open the assignments of an item that was let go."""
    connection.execute(
        update(REVIEW_SEAT).where(*place.item, REVIEW_SEAT.c.state == AssignmentState.PASSED).values(**_EMPTY)
    )


def is_given_up(connection: Connection, place: Place) -> bool:
    """Say whether an item should be let go: somebody escalated it, or enough people could not say."""
    query = select(REVIEW_PASS.c.action).where(*(REVIEW_PASS.c[name] == value for name, value in place.names.items()))
    actions = list(connection.scalars(query))
    return ESCALATE in actions or len(actions) >= SKIPS_TO_LET_GO


def release_overdue(connection: Connection, problem: str, batch_id: str, *, now: datetime, due: datetime) -> None:
    """After the due time, want less: no second answer, no gold, and a relabel also from who answered it before.

    Before it a skipped item waits for another person, and so does one that somebody else should answer; a team of one
    would wait for ever.
    """
    if now <= due:
        return
    place = Place(problem, batch_id)
    of_batch = (REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id == batch_id)
    connection.execute(update(REVIEW_ITEM).where(*of_batch, REVIEW_ITEM.c.arm != Arm.GOLD).values(is_for_others=False))
    let_go = [
        select(REVIEW_PASS.c.item_id).where(REVIEW_PASS.c.problem == problem, REVIEW_PASS.c.batch_id == batch_id),
        select(REVIEW_SEAT.c.item_id).where(*place.batch, REVIEW_SEAT.c.state == AssignmentState.ANSWERED),
        select(REVIEW_ITEM.c.item_id).where(*of_batch, REVIEW_ITEM.c.arm == Arm.GOLD, REVIEW_ITEM.c.is_for_others),
    ]
    connection.execute(
        update(REVIEW_SEAT)
        .where(
            *place.batch,
            or_(REVIEW_SEAT.c.state == _OPEN, REVIEW_SEAT.c.expires_at_utc <= now),
            _IS_WAITING,
            or_(*(REVIEW_SEAT.c.item_id.in_(items) for items in let_go)),
        )
        .values(**_EMPTY | {"state": AssignmentState.PASSED})
    )


def settle_answers(
    connection: Connection, problem: str, batch_id: str, items: Sequence[str], person: str, *, is_for_all: bool
) -> None:
    """Note answers that did not come from the desk: one assignment of each item, or all of them.

    Args:
        is_for_all: whether nobody else has to answer; so with recorded truth, which would only agree with itself.
    """
    batch = (*Place(problem, batch_id).batch, is_one_of(REVIEW_SEAT.c.item_id, items))
    if is_for_all:
        connection.execute(update(REVIEW_SEAT).where(*batch).values(**_EMPTY | {"state": AssignmentState.ANSWERED}))
        return
    other = REVIEW_SEAT.alias("other")
    is_same_item = and_(*(other.c[name] == REVIEW_SEAT.c[name] for name in ("problem", "batch_id", "item_id")))
    assignments = (
        select(REVIEW_SEAT.c.item_id, func.min(REVIEW_SEAT.c.seat).label("seat"))
        .where(*batch, _IS_WAITING)
        .where(
            or_(
                REVIEW_SEAT.c.person == person,
                REVIEW_SEAT.c.state == _OPEN,
            ),
            ~exists().where(is_same_item, other.c.person == person, other.c.seat != REVIEW_SEAT.c.seat),
        )
        .group_by(REVIEW_SEAT.c.item_id)
        .subquery()
    )
    connection.execute(
        update(REVIEW_SEAT)
        .where(*batch, REVIEW_SEAT.c.item_id == assignments.c.item_id, REVIEW_SEAT.c.seat == assignments.c.seat)
        .values(**_EMPTY | {"state": AssignmentState.ANSWERED, "person": person})
    )


def list_let_go(connection: Connection, problem: str, batch_id: str) -> list[str]:
    """Name the items that nobody is asked about any more."""
    query = select(REVIEW_SEAT.c.item_id).where(
        *Place(problem, batch_id).batch, REVIEW_SEAT.c.state == AssignmentState.PASSED
    )
    return sorted(set(connection.scalars(query)))


def read_waiting_items(connection: Connection, place: Place) -> set[str]:
    """Name the items of a batch that want another answer."""
    return set(connection.scalars(select(REVIEW_SEAT.c.item_id).where(*place.batch, _IS_WAITING)))


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


def _change(connection: Connection, assignment: RowMapping, **values: object) -> RowMapping:
    """Write one assignment, and read it back."""
    keys = (REVIEW_SEAT.c[name] == assignment[name] for name in ("problem", "batch_id", "item_id", "seat"))
    return connection.execute(update(REVIEW_SEAT).where(*keys).values(**values).returning(REVIEW_SEAT)).mappings().one()


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Select assignments that nobody holds any more."""
    return _IS_WAITING & ((REVIEW_SEAT.c.state == _OPEN) | (REVIEW_SEAT.c.expires_at_utc <= now))


def _is_for(place: Place, person: str, skills: Collection[str]) -> ColumnElement[bool]:
    """Select assignments of a batch that a person may take: trained for them, not asked about the item before.

    Gold and relabels are answered before: they go to whoever has not answered them, where there is somebody. What a
    person was asked is one list for the whole query: a question for each assignment would cost more with every answer.
    """
    asked, passed = REVIEW_SEAT.alias("asked"), REVIEW_PASS
    mine = (
        select(table.c.item_id).where(
            table.c.problem == place.problem, table.c.batch_id == place.batch_id, table.c.person == person
        )
        for table in (asked, passed)
    )
    before = answered_before(place).where(LABEL.c.labelled_by == person).with_only_columns(REVIEW_ITEM.c.item_id)
    return and_(
        or_(REVIEW_SEAT.c.skill.is_(None), REVIEW_SEAT.c.skill.in_(sorted(skills))),
        *(REVIEW_SEAT.c.item_id.not_in(items) for items in [*mine, before]),
    )


def answered_before(place: Place) -> Select[tuple[str, str]]:
    """Select the items of a batch that want somebody else than each person who answered them in an earlier batch.

    Returns:
        item and person.
    """
    return (
        select(REVIEW_ITEM.c.item_id, LABEL.c.labelled_by)
        .join(LABEL, and_(LABEL.c.problem == REVIEW_ITEM.c.problem, LABEL.c.item_id == REVIEW_ITEM.c.item_id))
        .where(REVIEW_ITEM.c.problem == place.problem, REVIEW_ITEM.c.batch_id == place.batch_id)
        .where(REVIEW_ITEM.c.is_for_others, LABEL.c.batch_id != place.batch_id, LABEL.c.arm != Arm.GOLD)
    )
