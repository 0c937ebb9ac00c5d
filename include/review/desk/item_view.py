"""One item as a person may see it now: never its arm, never a known answer, and the model's view only when it is time.

What belongs here: reading what is shown, and noting it on the assignment. What does not: whose assignment it is
(`batches/assignments.py`).
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from sqlalchemy import Connection, RowMapping, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.review.batches.assignments import Place, write_shown
from include.review.batches.store import same_batch, same_item
from include.review.selection.content import Field
from include.review.selection.uncertainty import predictive_entropy
from include.warehouse.tables.desk import REVIEW_CONTENT, REVIEW_PASS
from include.warehouse.tables.explaining import LOCAL_EXPLANATION
from include.warehouse.tables.review import REVIEW_BATCH, REVIEW_ITEM

FIRST_CHARACTERS = 20_000  # of a text; the rest is asked for by who wants it
N_OF = 100  # icons in an array


class Reason(TypedDict):
    """What moved the model: above 0 towards the positive class."""

    feature: str
    contribution: float


class ClassView(TypedDict):
    """How many of 100 like an item are of one class."""

    name: str
    n_of_100: int


class ModelView(TypedDict):
    """What a model says of an item: how many of 100 like it are positive, how undecided it is, and why.

    Of several classes or labels the likeliest stands for the positive one, and `classes` has all of them.
    """

    positive: str
    p_positive: float
    n_of_100: int
    entropy_nats: float
    most_entropy_nats: float
    classes: list[ClassView]
    model_version: str | None
    reasons: list[Reason]


class Passed(TypedDict):
    """Who passed an item on (skip, escalate), when, and why."""

    person: str
    action: str
    reason: str
    at: str


class Item(TypedDict):
    """One item as the page gets it."""

    item_id: str
    position: int
    partition_key: str
    is_sensitive: bool
    is_covered: bool
    is_blind: bool
    fields: list[Field]
    expires_at_utc: str
    model: ModelView | None
    passed: list[Passed]


def show_item(
    connection: Connection, problem: Problem, assignment: RowMapping, language: str, *, is_for_lead: bool = False
) -> Item:
    """Give what a page shows of an item to whoever holds it, and note on the assignment what that is.

    A sensitive item gives no field until its cover is opened, so that nothing can be read beneath.

    Args:
        is_for_lead: whether to say why other people passed the item on: that is what a lead is asked about.
    """
    place = Place(assignment["problem"], assignment["batch_id"], assignment["item_id"])
    item = _find_item(connection, place)
    is_covered = bool(item["is_sensitive"]) and (assignment["shown"] or {}).get("was_covered", True)
    is_blind = problem.review is not None and problem.review.blind
    view = None if is_blind else _view(problem, item)
    if view and is_covered:
        view["reasons"] = []  # what moved the model are words of what is covered
    shown: dict[str, object] = {
        "content_hash": item["content_hash"],
        "was_blind": is_blind,
        "was_covered": is_covered,
        "language": language,
        "model": view,
    }
    passed = _read_passed(connection, place) if is_for_lead else []
    if passed:
        shown["n_passed"] = len(passed)
    if shown != assignment["shown"]:
        write_shown(connection, assignment, shown)
    return {
        "item_id": place.item_id,
        "position": item["position"],
        "partition_key": item["partition_key"],
        "is_sensitive": item["is_sensitive"],
        "is_covered": is_covered,
        "is_blind": is_blind,
        "fields": [] if is_covered else _cut(item["fields"] or []),
        "expires_at_utc": assignment["expires_at_utc"].isoformat(),
        "model": view,
        "passed": passed,
    }


def _read_passed(connection: Connection, place: Place) -> list[Passed]:
    """Read who passed an item on, in whatever batch, when and why; the newest first."""
    query = (
        select(REVIEW_PASS.c.person, REVIEW_PASS.c.action, REVIEW_PASS.c.reason, REVIEW_PASS.c.passed_at_utc)
        .where(REVIEW_PASS.c.problem == place.problem, REVIEW_PASS.c.item_id == place.item_id)
        .order_by(REVIEW_PASS.c.passed_at_utc.desc(), REVIEW_PASS.c.person)
    )
    return [
        {"person": row.person, "action": row.action, "reason": row.reason, "at": row.passed_at_utc.isoformat()}
        for row in connection.execute(query)
    ]


def reveal(connection: Connection, problem: Problem, place: Place, model: ModelView | None) -> ModelView | None:
    """Give the model's view of an item that was answered; it is no secret any more.

    Args:
        model: the view that was shown with the question; None where the review is blind or no model had one.
    """
    return model or _view(problem, _find_item(connection, place))


def _view(problem: Problem, item: RowMapping) -> ModelView | None:
    """Give the model's view of an item: how many of 100 like it are positive, how undecided it is, and why.

    Returns:
        None where no model has said anything about it.
    """
    p, label = item["p_positive"], problem.label
    if label is not None and item["class_probabilities"]:
        return _view_classes(label, item)
    if p is None or label is None or label.positive is None:
        return None
    return {
        "positive": label.positive,
        "p_positive": p,
        "n_of_100": round(N_OF * p),
        "entropy_nats": float(predictive_entropy(np.array([[1.0 - p, p]]))[0]),
        "most_entropy_nats": float(np.log(2)),
        "classes": [],
        "model_version": item["model_version"],
        "reasons": item["reasons"] or [],
    }


def _view_classes(label: Label, item: RowMapping) -> ModelView:
    """Give the model's view of an item of several classes or labels, the likeliest first."""
    p = np.array([item["class_probabilities"].get(name, 0.0) for name in label.classes])
    # Each label is a question of its own; classes are one question.
    asked = np.column_stack([1.0 - p, p]) if label.multiple else p[np.newaxis]
    most = len(p) * np.log(2) if label.multiple else np.log(len(p))
    order = np.argsort(-p, kind="stable")
    return {
        "positive": label.classes[int(order[0])],
        "p_positive": float(p[order[0]]),
        "n_of_100": round(N_OF * float(p[order[0]])),
        "entropy_nats": float(predictive_entropy(asked / asked.sum(axis=1, keepdims=True)).sum()),
        "most_entropy_nats": float(most),
        "classes": [{"name": label.classes[int(at)], "n_of_100": round(N_OF * float(p[at]))} for at in order],
        "model_version": item["model_version"],
        "reasons": [],
    }


def _find_item(connection: Connection, place: Place) -> RowMapping:
    """Read an item, its content, the model of its batch and what moved it, at once: each question costs everybody time.

    The content is missing where it was erased, the reasons where nobody has taken the model's view apart.
    """
    query = (
        select(
            REVIEW_ITEM.c.position,
            REVIEW_ITEM.c.partition_key,
            REVIEW_ITEM.c.is_sensitive,
            REVIEW_BATCH.c.model_version,
            REVIEW_CONTENT.c.fields,
            REVIEW_CONTENT.c.content_hash,
            REVIEW_CONTENT.c.class_probabilities,
            func.coalesce(REVIEW_CONTENT.c.p_positive, REVIEW_ITEM.c.p_positive).label("p_positive"),
            _select_reasons(place).label("reasons"),
        )
        .join(REVIEW_BATCH, same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .outerjoin(REVIEW_CONTENT, same_item(REVIEW_CONTENT, REVIEW_ITEM))
        .where(*(REVIEW_ITEM.c[name] == value for name, value in place.names.items()))
    )
    return connection.execute(query).mappings().one()


def _select_reasons(place: Place) -> ScalarSelect[object]:
    """Select what moved the model, the strongest first, as one JSON value."""
    reason = func.json_build_object(
        "feature", LOCAL_EXPLANATION.c.feature, "contribution", LOCAL_EXPLANATION.c.contribution
    )
    return (
        select(func.json_agg(aggregate_order_by(reason, LOCAL_EXPLANATION.c.rank)))
        .where(
            *(LOCAL_EXPLANATION.c[name] == value for name, value in place.names.items()),
            LOCAL_EXPLANATION.c.rank > 0,  # rank 0 is all the rest
        )
        .scalar_subquery()
    )


def _cut(fields: Sequence[Field]) -> list[Field]:
    """Give the beginnings of long texts; `n_characters` says how long they are."""
    return [
        {**field, "value": None if (text := field["value"]) is None else text[:FIRST_CHARACTERS]} for field in fields
    ]
