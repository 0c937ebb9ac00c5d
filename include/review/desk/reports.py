"""How people did: against known answers, and against each other.

What belongs here: what the page shows after a batch is finished. What does not: measuring coefficients of agreement
with their intervals (`metrics/store.py`).
"""

from collections.abc import Sequence
from statistics import median
from typing import TypedDict

from sqlalchemy import Connection, RowMapping, case, func, select

from include.review.batches import store as batches
from include.review.batches.assignments import Place
from include.review.metrics.agreement import MIN_ITEMS, AgreementRow
from include.review.metrics.gold import GOLD_RATIO, is_test
from include.review.selection.content import find_content
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import AGREEMENT, LABEL, REVIEW_BATCH, REVIEW_ITEM

MOST_LISTED = 200  # own answers that a page lists
EXCERPT = 160  # characters that remind a person of an item


class Difference(TypedDict):
    """A gold item that a person answered otherwise, with the beginning of its text."""

    item_id: str
    label: str
    gold_label: str
    excerpt: str


class OwnAnswer(TypedDict):
    """What a person said of an item, with the beginning of its text."""

    item_id: str
    label: str
    excerpt: str


class Summary(TypedDict):
    """How one person did in a finished batch."""

    n_answered: int
    n_passed: int
    median_ms: float | None
    n_gold: int
    n_gold_agreed: int
    n_shared: int
    n_shared_agreed: int
    differences: list[Difference]
    answers: list[OwnAnswer]


class PersonReport(TypedDict):
    """How one person did over all finished batches of a problem."""

    person: str
    n_answered: int
    n_gold: int
    n_gold_agreed: int
    median_ms: float | None
    last_at_utc: str


class AgreementReport(AgreementRow):
    """A coefficient as a page shows it."""

    is_too_few: bool


def summarise_person(connection: Connection, place: Place, person: str) -> Summary:
    """Say how one person did in a finished batch.

    Returns:
        n_answered, n_passed, median_ms (None without answers), n_gold, n_gold_agreed, n_shared, n_shared_agreed (items
        that somebody else answered too), differences: gold items with another answer, with the beginning of their text;
        answers: what they said.
    """
    mine = _labels(connection, place, person)
    known = [row for row in mine if row["gold_label"] is not None]
    others = _others(connection, place, person)
    durations = [row["duration_ms"] for row in mine if row["duration_ms"] is not None]
    shared = [row for row in mine if row["item_id"] in others]
    passed = select(func.count()).where(
        REVIEW_PASS.c.problem == place.problem,
        REVIEW_PASS.c.batch_id == place.batch_id,
        REVIEW_PASS.c.person == person,
    )
    return {
        "n_answered": len(mine),
        "n_passed": connection.scalar(passed) or 0,
        "median_ms": median(durations) if durations else None,
        "n_gold": len(known),
        "n_gold_agreed": sum(row["label"] == row["gold_label"] for row in known),
        "n_shared": len(shared),
        "n_shared_agreed": sum(others[row["item_id"]] == {row["label"]} for row in shared),
        "differences": [
            {
                "item_id": row["item_id"],
                "label": row["label"],
                "gold_label": row["gold_label"],
                "excerpt": excerpt_of(connection, Place(place.problem, place.batch_id, row["item_id"])),
            }
            for row in known
            if row["label"] != row["gold_label"]
        ],
        "answers": [
            {
                "item_id": row["item_id"],
                "label": row["label"],
                "excerpt": excerpt_of(connection, Place(place.problem, place.batch_id, row["item_id"])),
            }
            for row in mine[:MOST_LISTED]
        ],
    }


def report_people(connection: Connection, problem: str) -> list[PersonReport]:
    """Report on every person over the finished batches of a problem, the busiest first; recorded truth is no person.

    Returns:
        person, n_answered, n_gold, n_gold_agreed, median_ms, last_at_utc.
    """
    agreed = LABEL.c.label == REVIEW_ITEM.c.gold_label
    query = (
        select(
            LABEL.c.labelled_by.label("person"),
            func.count().label("n_answered"),
            func.count().filter(is_test()).label("n_gold"),
            func.count().filter(is_test(), agreed).label("n_gold_agreed"),
            func.percentile_cont(0.5).within_group(LABEL.c.duration_ms).label("median_ms"),
            func.max(LABEL.c.labelled_at_utc).label("last_at_utc"),
        )
        .join(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .join(REVIEW_BATCH, batches.same_batch(LABEL, REVIEW_BATCH))
        .where(LABEL.c.problem == problem, REVIEW_BATCH.c.status == batches.ANSWERED, ~LABEL.c.is_demo)
        .group_by(LABEL.c.labelled_by)
        .order_by(func.count().desc(), LABEL.c.labelled_by)
    )
    return [
        PersonReport(
            person=row.person,
            n_answered=row.n_answered,
            n_gold=row.n_gold,
            n_gold_agreed=row.n_gold_agreed,
            median_ms=row.median_ms,
            last_at_utc=row.last_at_utc.isoformat(),
        )
        for row in connection.execute(query)
    ]


def report_agreement(connection: Connection, problem: str) -> list[AgreementReport]:
    """Report how well people agree, as it was measured when the newest round opened: over all, by class, by person.

    Returns:
        scope (all, class, reviewer), subject (the class or person), statistic, n_items, value, low and high: 1 for full
        agreement, 0 for chance, with a 95 % interval; None where there is no figure, with `is_too_few` where the reason
        is too few items. Known answers are in `report_people`.
    """
    query = (
        select(AGREEMENT)
        .where(AGREEMENT.c.problem == problem, AGREEMENT.c.statistic != GOLD_RATIO)
        .order_by(AGREEMENT.c.scope, AGREEMENT.c.subject, AGREEMENT.c.statistic)
    )
    return [
        AgreementReport(
            scope=row.scope,
            subject=row.subject,
            statistic=row.statistic,
            n_items=row.n_items,
            value=row.value,
            low=row.low,
            high=row.high,
            is_too_few=row.value is None and row.n_items < MIN_ITEMS,
        )
        for row in connection.execute(query)
    ]


def _labels(connection: Connection, place: Place, person: str) -> Sequence[RowMapping]:
    """Read a person's answers of a batch, beside the known ones."""
    query = (
        select(
            LABEL.c.item_id,
            LABEL.c.label,
            LABEL.c.duration_ms,
            case((is_test(), REVIEW_ITEM.c.gold_label)).label("gold_label"),
        )
        .join(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .where(LABEL.c.problem == place.problem, LABEL.c.batch_id == place.batch_id, LABEL.c.labelled_by == person)
        .order_by(REVIEW_ITEM.c.position)
    )
    return connection.execute(query).mappings().all()


def _others(connection: Connection, place: Place, person: str) -> dict[str, set[str]]:
    """Read what other people said, for each item that somebody else answered."""
    query = select(LABEL.c.item_id, LABEL.c.label).where(
        LABEL.c.problem == place.problem, LABEL.c.batch_id == place.batch_id, LABEL.c.labelled_by != person
    )
    found: dict[str, set[str]] = {}
    for item_id, label in connection.execute(query):
        found.setdefault(item_id, set()).add(label)
    return found


def excerpt_of(connection: Connection, place: Place) -> str:
    """Give the beginning of an item's first text."""
    content = find_content(connection, *place.names.values())
    values = [field["value"] for field in (content["fields"] if content else []) if field["value"]]
    return str(values[0])[:EXCERPT] if values else place.item_id
