"""An assignment has one person at most, is lent for a time, and goes to whoever may have it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from include.review.batches import assignments
from include.review.batches.assignments import AssignmentState, Place
from include.warehouse.tables.desk import REVIEW_SEAT
from tests.laid_desk import BATCH, PROBLEM, lay_out, make_choice, rows

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=30)


def take(connection: Connection, person: str, *skills: str, now: datetime = NOW) -> Any:
    return assignments.take_assignment(connection, Place(PROBLEM, BATCH), person, skills, now=now, lease=LEASE)


def states(engine: Engine) -> list[str]:
    return [row["state"] for row in rows(engine, REVIEW_SEAT)]


def test_an_item_has_as_many_seats_as_answers_are_wanted(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, n_answers_wanted=2), make_choice(2)])
    assert [(row["item_id"], row["seat"]) for row in rows(engine, REVIEW_SEAT)] == [
        ("mail-01", 1),
        ("mail-01", 2),
        ("mail-02", 1),
    ]


def test_taking_twice_keeps_the_item_and_is_new_once(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    with engine.begin() as connection:
        first, again = take(connection, "ada"), take(connection, "ada", now=NOW + timedelta(minutes=10))
    assert [one.assignment["item_id"] for one in (first, again)] == ["mail-01"] * 2
    assert (first.is_new, again.is_new) == (True, False)
    assert again.assignment["taken_at_utc"] == NOW
    assert again.assignment["expires_at_utc"] == NOW + timedelta(minutes=40)


@pytest.mark.parametrize(("minutes", "item"), [(29, "mail-02"), (30, "mail-01")])
def test_a_lease_ends_at_its_minute_and_not_before(engine: Engine, minutes: int, item: str) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    with engine.begin() as connection:
        take(connection, "ada")
        assert take(connection, "ben", now=NOW + timedelta(minutes=minutes)).assignment["item_id"] == item


def test_nobody_is_asked_twice_about_an_item_nor_without_the_skill(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, n_answers_wanted=2), make_choice(2, skill="law")])
    with engine.begin() as connection:
        assignments.settle(connection, take(connection, "ada").assignment, AssignmentState.ANSWERED)
        assert take(connection, "ada") is None
        assert take(connection, "ada", "law").assignment["item_id"] == "mail-02"


def test_two_people_who_take_at_the_same_moment_get_two_items(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    with engine.begin() as one, engine.begin() as other:
        items = [take(one, "ada").assignment["item_id"], take(other, "ben").assignment["item_id"]]
    assert items == ["mail-01", "mail-02"]


def test_what_is_let_go_waits_for_nobody_until_it_is_asked_again(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    place = Place(PROBLEM, BATCH, "mail-01")
    with engine.begin() as connection:
        assignments.let_go(connection, place)
        assert not assignments.is_anything_waiting(connection, PROBLEM, BATCH)
        assert assignments.list_let_go(connection, PROBLEM, BATCH) == ["mail-01"]
        assignments.ask_again(connection, place)
        assert assignments.is_anything_waiting(connection, PROBLEM, BATCH)
    assert states(engine) == [AssignmentState.OPEN]


def test_a_person_leaves_only_what_they_hold_themselves(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    with engine.begin() as connection:
        take(connection, "ada")
        take(connection, "ben")
        assert assignments.give_back_all(connection, Place(PROBLEM, BATCH), "ada") == ["mail-01"]
    assert states(engine) == [AssignmentState.OPEN, AssignmentState.TAKEN]
