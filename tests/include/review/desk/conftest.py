"""A batch on the desk, and people who work on it: what the tests of the desk share."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from include.errors import DeskRefused
from include.review.batches.assignments import Place
from include.review.desk import service
from include.review.desk.actions import finish_if_nothing_waits
from include.review.desk.permissions import Person
from include.warehouse.tables.desk import REVIEW_SEAT
from tests.laid_desk import BATCH, PROBLEM, make_problem

ADA, BEN, CAN = Person("ada"), Person("ben"), Person("can")


def place(item_id: str = "") -> Place:
    return Place(PROBLEM, BATCH, item_id)


def take(engine: Engine, person: Person = ADA, problem: Any = None) -> dict[str, Any] | None:
    return service.take_item(engine, problem or make_problem(), BATCH, person, "en")


def answer(engine: Engine, item_id: str, person: Person = ADA, label: str = "wanted", **more: Any) -> dict[str, Any]:
    given = {"note": None, "looked_ms": None, "request_id": str(uuid.uuid4())} | more
    done = service.answer(engine, make_problem(), place(item_id), person, label=label, **given)
    return done | {"is_finished": finish(engine, person)}


def pass_on(engine: Engine, item_id: str, person: Person = ADA, action: str = "skip", reason: str = "no idea") -> Any:
    request = str(uuid.uuid4())
    done = service.pass_on(
        engine, place(item_id), person, action=action, reason=reason, looked_ms=None, request_id=request
    )
    return done | {"is_finished": finish(engine, person)}


def finish(engine: Engine, person: Person) -> bool:
    """Look whether that was the last answer, as the desk does where it has no next item."""
    return finish_if_nothing_waits(engine, PROBLEM, BATCH, person.name)


def undo(engine: Engine, item_id: str, person: Person = ADA) -> dict[str, Any]:
    return service.undo(engine, make_problem(), place(item_id), person, str(uuid.uuid4()), "en")


def item_of(item: dict[str, Any] | None) -> str:
    assert item is not None
    return str(item["item_id"])


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(DeskRefused) as caught:
        call(*arguments, **more)
    return caught.value.code


def expire(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(REVIEW_SEAT).values(expires_at_utc=text("now() - interval '1 second'")))
