"""A lead sees above an item who passed it on and why; nobody else is told."""

from datetime import timedelta

from sqlalchemy import Engine

from include.review.desk import item_view, service
from include.review.desk.permissions import Person
from include.warehouse.tables.desk import REVIEW_SEAT
from tests.include.review.desk.conftest import ADA, BEN, answer, item_of, pass_on, take
from tests.laid_desk import PROBLEM, lay_out, make_choice, make_problem, rows

LEAD = Person("zoe", frozenset({"Lead"}))
SECOND = "round-002"


def take_second(engine: Engine, person: Person) -> dict[str, object]:
    item = service.take_item(engine, make_problem(), SECOND, person, "en")
    assert item is not None
    return item


def test_a_lead_is_told_who_escalated_an_item_and_why_in_whatever_batch(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    pass_on(engine, item_of(take(engine)), action="escalate", reason="Needs a lawyer")
    answer(engine, item_of(take(engine)))
    lay_out(engine, [make_choice(1, skill="lead")], batch_id=SECOND)
    passed = take_second(engine, LEAD)["passed"]
    assert isinstance(passed, list)
    assert [(row["person"], row["action"], row["reason"]) for row in passed] == [("ada", "escalate", "Needs a lawyer")]
    assert rows(engine, REVIEW_SEAT)[-1]["shown"]["n_passed"] == 1


def test_who_does_not_lead_is_not_told_why_others_passed(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    pass_on(engine, item_of(take(engine)), reason="no idea")
    item = take(engine, BEN)
    assert item is not None
    assert item["passed"] == []
    assert "n_passed" not in rows(engine, REVIEW_SEAT)[0]["shown"]


def test_a_text_is_cut_and_says_how_long_it_is(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)], {"mail-01": ("s", "가" * 30_000)})
    item = service.take_item(engine, make_problem(lease=timedelta(hours=1)), "round-001", ADA, "ko")
    assert item is not None
    body = item["fields"][1]
    assert (len(body["value"]), body["n_characters"]) == (item_view.FIRST_CHARACTERS, 30_000)
    assert item["item_id"] == "mail-01"
    assert item["expires_at_utc"].endswith("+00:00")


def test_without_a_score_there_is_no_view_of_a_model(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, p_positive=None)])
    item = take(engine)
    assert item is not None
    assert (item["model"], PROBLEM) == (None, "ad_review")
