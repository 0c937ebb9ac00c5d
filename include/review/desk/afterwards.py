"""What people say of an item after its batch is finished: a correction by whoever answered, or a lead's last word.

What belongs here: these writes, and what the page lists for them. What does not: answers of an open batch
(`desk/service.py`), where late answers are kept (`batches/late_answers.py`).
"""

from typing import TypedDict

from sqlalchemy import Connection, Engine, select

from include.errors import DeskRefused
from include.names import Arm
from include.partition_keys import sort_key
from include.problems.answer_text import Allowed, one_text
from include.problems.schema import Problem
from include.review.batches import blocks, late_answers
from include.review.batches import store as batches
from include.review.batches.assignments import Place
from include.review.batches.late_answers import LateAnswer, record_late_answers
from include.review.desk import actions, audit
from include.review.desk.audit import writing
from include.review.desk.overview import require_lead
from include.review.desk.permissions import Person
from include.review.desk.refusals import Refusal
from include.review.desk.reports import excerpt_of
from include.warehouse.newest_answers import NEWEST_FIRST, OLDEST_FIRST
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.review import LABEL, REVIEW_ITEM, SETTLED_LABEL
from include.warehouse.trusted_labels import is_relied_on

MOST_TORN = 50  # items that a lead is shown at once


class Torn(TypedDict):
    """An item that people do not agree about: its first batch, what was said how often, and the text's beginning."""

    item_id: str
    batch_id: str
    said: dict[str, int]
    excerpt: str


def answer_afterwards(
    engine: Engine,
    problem: Problem,
    place: Place,
    person: Person,
    *,
    label: str,
    note: str | None,
    is_last_word: bool,
    request_id: str,
) -> dict[str, object]:
    """Store a person's other answer to an item of a finished batch; what they said before is kept.

    Args:
        place: the item, in the batch where it was asked.
        is_last_word: whether a lead settles what people disagree about: then only this counts.

    Returns:
        item_id, label, batch_id: the round that the answer is in.

    Raises:
        DeskRefused: the answer is no class, the person is blocked or (for the last word) no lead, never answered the
            item, or it is being asked about now.
    """
    arm = Arm.ADJUDICATION if is_last_word else Arm.CORRECTION
    with writing(engine, str(arm), place, person.name, request_id) as write:
        if write.done is not None:
            return write.done
        connection, now = write.connection, write.request.now
        if is_last_word:
            require_lead(problem, person)
        if person.name in blocks.read_blocked(connection, problem.name):
            raise DeskRefused(Refusal.BLOCKED, lead=problem.escalation)
        classes, given = Allowed(problem.label), str(one_text(label, problem.label))
        if given not in classes:
            raise DeskRefused(Refusal.UNKNOWN_CLASS, label=given[: audit.LONGEST_NAME], classes=list(classes))
        batches.hold_desk(connection, problem.name)
        partition_key = _find_partition(connection, place)
        before = _newest_answer(connection, place, person.name)
        if partition_key is None or (before is None and not is_last_word):
            raise DeskRefused(Refusal.UNKNOWN_ITEM, batch=place.batch_id[: audit.LONGEST_NAME])
        if place.item_id in late_answers.read_on_desk(connection, problem.name):
            raise DeskRefused(Refusal.ON_DESK)
        answer = LateAnswer(place.item_id, partition_key, person.name, given, now, actions.tidy_text(note) or None)
        batch_id = record_late_answers(connection, problem.name, [answer], arm, now, lambda: 0)
        after: dict[str, object] = {"item_id": place.item_id, "label": given, "batch_id": batch_id}
        write.record({"label": before}, after)
        return after


def list_torn(connection: Connection, problem: Problem, person: Person) -> list[Torn]:
    """List the items that neither heads nor quality settle, those first that one more answer helps most; to a lead.

    Raises:
        DeskRefused: the person is no lead of this problem.
    """
    require_lead(problem, person)
    query = (
        select(SETTLED_LABEL.c.item_id)
        .where(SETTLED_LABEL.c.problem == problem.name, SETTLED_LABEL.c.label.is_(None))
        .order_by(SETTLED_LABEL.c.gain_ratio.desc(), SETTLED_LABEL.c.item_id)
    )
    items = list(connection.scalars(query))
    said = (
        select(LABEL.c.item_id, LABEL.c.batch_id, LABEL.c.labelled_by, LABEL.c.label, LABEL.c.arm)
        .where(LABEL.c.problem == problem.name, is_one_of(LABEL.c.item_id, items), LABEL.c.arm != Arm.GOLD)
        .where(is_relied_on())
        .order_by(*OLDEST_FIRST)
    )
    newest: dict[str, dict[str, str]] = {item: {} for item in items}
    place: dict[str, str] = {}
    decided = set()
    for row in connection.execute(said):
        newest[row.item_id][row.labelled_by] = row.label
        # Where it was asked first, what was shown is known.
        place[row.item_id] = min(place.get(row.item_id, row.batch_id), row.batch_id, key=sort_key)
        decided |= {row.item_id} if row.arm == Arm.ADJUDICATION else set()
    on_desk = late_answers.read_on_desk(connection, problem.name)
    waiting = [item for item in items if item in place and item not in decided and item not in on_desk]
    return [
        Torn(
            item_id=item,
            batch_id=place[item],
            said={label: list(newest[item].values()).count(label) for label in sorted(set(newest[item].values()))},
            excerpt=excerpt_of(connection, Place(problem.name, place[item], item)),
        )
        for item in waiting[:MOST_TORN]
    ]


def _find_partition(connection: Connection, place: Place) -> str | None:
    """Find the partition of an item that a batch has asked about."""
    where = (REVIEW_ITEM.c[name] == value for name, value in place.names.items())
    return connection.scalar(select(REVIEW_ITEM.c.partition_key).where(*where))


def _newest_answer(connection: Connection, place: Place, person: str) -> str | None:
    """Read what a person said of an item last, in whatever batch."""
    query = select(LABEL.c.label).where(
        LABEL.c.problem == place.problem, LABEL.c.item_id == place.item_id, LABEL.c.labelled_by == person
    )
    return connection.scalar(query.order_by(*NEWEST_FIRST).limit(1))
