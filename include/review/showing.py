"""One item as a person may see it now: never its arm, never a known answer, and the model's view only when it is time.

What belongs here: reading what is shown, and noting it on the seat. What does not: whose seat it is (`seats.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, RowMapping, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from include.problems.schema import Problem
from include.review.batches import same_batch, same_item
from include.review.sampling import predictive_entropy
from include.review.seats import Place, write_shown
from include.warehouse.tables.desk import REVIEW_CONTENT
from include.warehouse.tables.explaining import LOCAL_EXPLANATION
from include.warehouse.tables.review import REVIEW_BATCH, REVIEW_ITEM

FIRST_CHARACTERS = 20_000  # of a text; the rest is asked for by who wants it
N_OF = 100  # icons in an array


def show_item(connection: Connection, problem: Problem, seat: RowMapping, language: str) -> dict[str, Any]:
    """Give what a page shows of an item to whoever holds it, and note on the seat what that is.

    A sensitive item gives no field until its cover is opened, so that nothing can be read beneath.
    """
    place = Place(seat["problem"], seat["batch_id"], seat["item_id"])
    item = _find_item(connection, place)
    is_covered = bool(item["is_sensitive"]) and (seat["shown"] or {}).get("was_covered", True)
    is_blind = problem.review is not None and problem.review.blind
    view = None if is_blind else _view(problem, item)
    if view and is_covered:
        view["reasons"] = []  # what moved the model are words of what is covered
    shown = {
        "content_hash": item["content_hash"],
        "was_blind": is_blind,
        "was_covered": is_covered,
        "language": language,
        "model": view,
    }
    if shown != seat["shown"]:
        write_shown(connection, seat, shown)
    return {
        "item_id": place.item_id,
        "position": item["position"],
        "partition_key": item["partition_key"],
        "is_sensitive": item["is_sensitive"],
        "is_covered": is_covered,
        "is_blind": is_blind,
        "fields": [] if is_covered else _cut(item["fields"] or []),
        "expires_at_utc": seat["expires_at_utc"].isoformat(),
        "model": view,
    }


def reveal(
    connection: Connection, problem: Problem, place: Place, shown: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Give the model's view of an item that was answered; it is no secret any more.

    Args:
        shown: what was shown with the question; of a review that is not blind it has the view already.
    """
    if shown and shown["model"]:
        return dict(shown["model"])
    return _view(problem, _find_item(connection, place))


def _view(problem: Problem, item: RowMapping) -> dict[str, Any] | None:
    """Give the model's view of an item: how many of 100 like it are positive, how undecided it is, and why.

    Returns:
        None where no model has said anything about it.
    """
    p = item["p_positive"]
    if p is None or problem.label is None:
        return None
    return {
        "positive": problem.label.positive,
        "p_positive": p,
        "n_of_100": round(N_OF * p),
        "entropy_nats": float(predictive_entropy(np.array([[1.0 - p, p]]))[0]),
        "model_version": item["model_version"],
        "reasons": item["reasons"] or [],
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
            func.coalesce(REVIEW_CONTENT.c.p_positive, REVIEW_ITEM.c.p_positive).label("p_positive"),
            _select_reasons(place).label("reasons"),
        )
        .join(REVIEW_BATCH, same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .outerjoin(REVIEW_CONTENT, same_item(REVIEW_CONTENT, REVIEW_ITEM))
        .where(*(REVIEW_ITEM.c[name] == value for name, value in place.names.items()))
    )
    return connection.execute(query).mappings().one()


def _select_reasons(place: Place) -> ScalarSelect[Any]:
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


def _cut(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the beginnings of long texts; `n_characters` says how long they are."""
    return [{**field, "value": field["value"] and field["value"][:FIRST_CHARACTERS]} for field in fields]
