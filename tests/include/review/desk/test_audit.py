"""Every write that somebody tried is written down; whoever tries endlessly fills one row a minute."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import Engine, text

from include.errors import DeskRefused
from include.review.desk import audit, service
from include.review.desk.refusals import Refusal
from include.warehouse.tables.desk import REVIEW_AUDIT
from tests.include.review.desk.conftest import ADA, BEN, CAN, item_of, place, take
from tests.laid_desk import BATCH, lay_out, make_choice, make_problem, rows


@pytest.fixture
def _within_one_minute(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    """Let the database's clock stand still for what is counted."""
    with engine.connect() as connection:
        now = audit.read_clock(connection)
    monkeypatch.setattr(audit, "read_clock", lambda connection: now)


@pytest.mark.usefixtures("_within_one_minute")
def test_what_is_refused_again_and_again_is_one_row_with_a_count(engine: Engine) -> None:
    for number in range(40):
        audit.write_refused(engine, "take", place(f"mail-{number}"), "vic", Refusal.NO_RIGHT)
    (row,) = rows(engine, REVIEW_AUDIT)
    assert (row["person"], row["item_id"], row["reason"]) == ("vic", "mail-0", "no_right")
    assert row["after"][audit.COUNTED] == 40


@pytest.mark.usefixtures("_within_one_minute")
def test_each_person_action_and_reason_has_a_row_of_its_own(engine: Engine) -> None:
    for person, action, reason in (
        ("vic", "take", "a"),
        ("vic", "answer", "a"),
        ("vic", "take", "b"),
        ("wim", "take", "a"),
    ):
        for _ in range(2):
            audit.write_refused(engine, action, place(), person, reason)
    assert [row["after"][audit.COUNTED] for row in rows(engine, REVIEW_AUDIT)] == [2] * 4


@pytest.mark.usefixtures("_within_one_minute")
def test_made_up_names_of_batches_make_no_rows(engine: Engine) -> None:
    for number in range(10):
        with suppress(DeskRefused):
            service.take_item(engine, make_problem(), f"round-9{number}", ADA, "en")
    assert [row["after"][audit.COUNTED] for row in rows(engine, REVIEW_AUDIT)] == [10]


@pytest.mark.usefixtures("_within_one_minute")
def test_looking_again_at_what_one_holds_is_counted_and_taking_it_is_listed(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2, n_answers_wanted=2)])
    for _ in range(10):
        take(engine)
        service.leave(engine, place(), BEN)
    item_of(take(engine, BEN))
    counts = [
        (row["person"], row["action"], (row["after"] or {}).get(audit.COUNTED)) for row in rows(engine, REVIEW_AUDIT)
    ]
    assert sorted(counts, key=str) == [
        ("ada", "take", 9),
        ("ada", "take", None),
        ("ben", "leave", 10),
        ("ben", "take", None),
    ]


def test_a_count_is_right_when_many_ask_at_once(engine: Engine) -> None:
    def ask() -> None:
        for _ in range(5):
            audit.write_refused(engine, "take", place(), "vic", Refusal.NO_RIGHT)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(row["after"][audit.COUNTED] for row in rows(engine, REVIEW_AUDIT)) == 20


def test_a_refusal_keeps_nothing_of_what_was_begun(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])

    def begin() -> None:
        with audit.writing(engine, "take", place(), "ada") as write:
            write.connection.execute(text("UPDATE core.review_seat SET person = 'ada'"))
            raise DeskRefused(Refusal.COVERED)

    with pytest.raises(DeskRefused):
        begin()
    assert [(row["result"], row["reason"]) for row in rows(engine, REVIEW_AUDIT)] == [("refused", "covered")]
    assert item_of(take(engine, CAN)) == "mail-01"


def test_one_persons_requests_wait_for_each_other(engine: Engine) -> None:
    lay_out(engine, [make_choice(number, n_answers_wanted=2) for number in range(1, 4)])
    got: list[str] = []

    def work() -> None:
        got.append(item_of(service.take_item(engine, make_problem(), BATCH, ADA, "en")))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["mail-01"] * 6
