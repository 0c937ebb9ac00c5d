"""What the desk lists: finished batches for who answered or leads, and the notes that people wrote."""

from typing import Any

from sqlalchemy import Engine

from include.review.desk import service
from include.review.desk.permissions import Person
from include.review.desk.refusals import Refusal
from include.warehouse.tables.desk import REVIEW_AUDIT
from include.warehouse.tables.review import LABEL_FLAG
from tests.include.review.desk.conftest import ADA, BEN, answer, item_of, place, refused, take
from tests.laid_desk import BATCH, PROBLEM, flag, lay_out, make_choice, make_problem, rows

LEAD = Person("zoe", frozenset({"Lead"}))


def finished(engine: Engine, person: Person) -> list[Any]:
    with engine.connect() as connection:
        return [row["batch_id"] for row in service.list_finished(connection, {PROBLEM: make_problem()}, person)]


def notes(engine: Engine, person: Person) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return list(service.summarise(connection, make_problem(), BATCH, person)["notes"])


def test_a_lead_finds_a_finished_batch_that_others_answered(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    assert finished(engine, LEAD) == []
    answer(engine, item_of(take(engine)))
    assert (finished(engine, ADA), finished(engine, LEAD), finished(engine, BEN)) == ([BATCH], [BATCH], [])


def test_notes_are_on_the_result_and_only_a_lead_is_told_whose(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2), make_choice(3)], {"mail-02": ("", "Only a body")})
    for note in ("Looks like a lottery", None, "Second thoughts"):
        answer(engine, item_of(take(engine)), note=note)
    told = notes(engine, LEAD)
    assert [(row["note"], row["person"], row["label"]) for row in told] == [
        ("Looks like a lottery", "ada", "wanted"),
        ("Second thoughts", "ada", "wanted"),
    ]
    assert told[0]["excerpt"] == "Subject of mail-01"
    assert [(row["note"], row["person"]) for row in notes(engine, BEN)] == [
        ("Looks like a lottery", None),
        ("Second thoughts", None),
    ]


def decide(engine: Engine, person: Person, labelled_by: str, *, is_accepted: bool = True) -> Any:
    return service.decide_flag(engine, make_problem(), place(), labelled_by, person, accept=is_accepted)


def test_a_lead_is_shown_whose_answers_wait_and_nobody_else_is(engine: Engine) -> None:
    flag(engine, "bot")
    flag(engine, "kim", status="accepted")
    with engine.connect() as connection:
        known = service.list_flags(connection, make_problem(), LEAD)
        assert [(row["labelled_by"], row["status"], row["n_labels"]) for row in known] == [
            ("bot", "waiting", 94),
            ("kim", "accepted", 94),
        ]
        assert refused(service.list_flags, connection, make_problem(), ADA) == Refusal.LEADS_ONLY
        problems = {PROBLEM: make_problem()}
        assert [row["n_flags"] for row in service.count_flags(connection, problems, LEAD)] == [1]
        assert service.count_flags(connection, problems, ADA) == []


def test_a_lead_decides_and_may_decide_anew(engine: Engine) -> None:
    flag(engine, "bot")
    for is_accepted, status in ((False, "withdrawn"), (True, "accepted")):
        decide(engine, LEAD, "bot", is_accepted=is_accepted)
        (row,) = rows(engine, LABEL_FLAG)
        assert (row["status"], row["decided_by"]) == (status, "zoe")
    done = sorted(rows(engine, REVIEW_AUDIT), key=lambda row: row["written_at_utc"])
    assert [row["action"] for row in done] == ["withdraw", "accept"]
    assert [row["before"]["status"] for row in done] == ["waiting", "withdrawn"]


def test_nobody_decides_about_their_own_answers_nor_without_leading(engine: Engine) -> None:
    flag(engine, "zoe")
    assert refused(decide, engine, LEAD, "zoe") == Refusal.OWN_ANSWERS
    assert refused(decide, engine, ADA, "zoe") == Refusal.LEADS_ONLY
    assert refused(decide, engine, LEAD, "nobody") == Refusal.UNKNOWN_FLAG
    assert [row["status"] for row in rows(engine, LABEL_FLAG)] == ["waiting"]
