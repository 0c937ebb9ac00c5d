from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from include.errors import DeskRefused, MulgilError
from include.problems.reading import load_problem
from include.review.batches import store as batches
from include.review.batches import trust
from include.review.batches.assignments import Place
from include.review.batches.completion import finish_batch_if_complete
from include.review.desk import service
from include.review.desk.permissions import Person
from include.warehouse.tables.desk import REVIEW_AUDIT
from include.warehouse.tables.review import LABEL, LABEL_FLAG
from include.warehouse.trusted_labels import is_given, is_relied_on
from tests.include.review.conftest import PROBLEM, Desk
from tests.include.review.selection.test_relabel_and_gold import open_batch

NOW = datetime(2002, 10, 1, tzinfo=UTC)
MAILS = [f"mail-{row:02d}" for row in range(20)]


def answer(desk: Desk, person: str, n_answers: int, seconds: float, **changes: object) -> None:
    """Answer mails at the desk, one every so many seconds."""
    row = {"problem": PROBLEM, "batch_id": "round-001", "labelled_by": person, "label": "wanted", "arm": "random"}
    row |= {"is_demo": False, "duration_ms": int(seconds * 1000)} | changes
    with desk.engine.begin() as connection:
        connection.execute(
            insert(LABEL),
            [
                row | {"item_id": mail, "labelled_at_utc": NOW + timedelta(seconds=number * seconds)}
                for number, mail in enumerate(MAILS[:n_answers])
            ],
        )


def flag(desk: Desk) -> list[str]:
    with desk.engine.begin() as connection:
        return trust.flag_fast_answers(connection, PROBLEM, "round-001", NOW)


def decide(desk: Desk, person: str, *, is_accepted: bool, by: str = "boss") -> None:
    with desk.engine.begin() as connection:
        trust.decide_flag(connection, PROBLEM, "round-001", person, is_accepted=is_accepted, decided_by=by, now=NOW)


def people(desk: Desk, condition: object) -> set[str]:
    with desk.engine.connect() as connection:
        return set(connection.scalars(select(LABEL.c.labelled_by).where(condition)))


@pytest.fixture
def answered(desk: Desk) -> Desk:
    """A script and a person have answered the same twenty mails."""
    open_batch(desk, 1, *MAILS)
    answer(desk, "script", 20, 0.117)
    answer(desk, "kim", 20, 0.9)
    return desk


def test_a_script_is_flagged_and_a_quick_person_is_not(answered: Desk) -> None:
    assert flag(answered) == ["script"]
    (row,) = answered.rows(LABEL_FLAG)
    assert (row["n_labels"], row["status"]) == (20, "waiting")
    assert row["reason"] == "10 answers in a row took 1.1 s; nobody reads 10 items in 5 s"


@pytest.mark.parametrize(
    ("n_answers", "changes"),
    [
        pytest.param(9, {}, id="too few in a row"),
        pytest.param(20, {"duration_ms": None}, id="from a file, which has one time for all"),
        pytest.param(20, {"is_demo": True}, id="recorded truth"),
    ],
)
def test_answers_that_say_nothing_about_speed_are_not_flagged(desk: Desk, n_answers: int, changes: dict) -> None:
    open_batch(desk, 1, *MAILS)
    answer(desk, "x", n_answers, 0.1, **changes)
    assert flag(desk) == []


def test_ten_quick_answers_among_slow_ones_are_enough(desk: Desk) -> None:
    open_batch(desk, 1, *MAILS)
    answer(desk, "kim", 10, 0.1)
    with desk.engine.begin() as connection:
        row = {"problem": PROBLEM, "batch_id": "round-001", "labelled_by": "kim", "label": "wanted", "arm": "random"}
        row |= {"is_demo": False, "duration_ms": 60_000}
        late = [
            row | {"item_id": mail, "labelled_at_utc": NOW + timedelta(minutes=number)}
            for number, mail in enumerate(MAILS[10:], start=1)
        ]
        connection.execute(insert(LABEL), late)
    assert flag(desk) == ["kim"]


def test_a_batch_that_is_finished_has_flagged_the_script_before_anybody_learns_from_it(answered: Desk) -> None:
    with answered.engine.begin() as connection:
        assert finish_batch_if_complete(connection, PROBLEM, "round-001", NOW)
    assert people(answered, is_relied_on()) == {"kim"}


def test_flagged_answers_count_once_a_lead_accepts_them_and_never_once_withdrawn(answered: Desk) -> None:
    flag(answered)
    assert (people(answered, is_relied_on()), people(answered, is_given())) == ({"kim"}, {"kim", "script"})
    decide(answered, "script", is_accepted=False)
    assert people(answered, is_given()) == {"kim"}
    decide(answered, "script", is_accepted=True)
    assert people(answered, is_relied_on()) == {"kim", "script"}


def test_what_a_lead_decided_is_not_flagged_again(answered: Desk) -> None:
    flag(answered)
    decide(answered, "script", is_accepted=True)
    assert flag(answered) == []
    assert answered.rows(LABEL_FLAG)[0]["decided_by"] == "boss"


def test_nobody_decides_about_their_own_answers(answered: Desk) -> None:
    flag(answered)
    with pytest.raises(MulgilError, match="wait for another lead than script"):
        decide(answered, "script", is_accepted=True, by="script")


def test_a_decision_about_answers_that_were_never_flagged_is_refused(answered: Desk) -> None:
    with pytest.raises(MulgilError, match="0 answers of 'kim' in round-001"):
        decide(answered, "kim", is_accepted=True)


def test_items_whose_only_answers_were_withdrawn_can_be_asked_again(desk: Desk) -> None:
    open_batch(desk, 1, *MAILS)
    answer(desk, "script", 20, 0.1)
    with desk.engine.begin() as connection:
        batches.close_batch(connection, PROBLEM, "round-001", NOW)
        assert batches.read_taken(connection, PROBLEM) == set(MAILS)
    flag(desk)
    decide(desk, "script", is_accepted=False)
    with desk.engine.connect() as connection:
        assert batches.read_taken(connection, PROBLEM) == set()


def test_what_waits_for_a_lead_is_listed_before_what_is_decided(answered: Desk) -> None:
    flag(answered)
    decide(answered, "script", is_accepted=True)
    with answered.engine.begin() as connection:
        row = {"problem": PROBLEM, "batch_id": "round-002", "labelled_by": "bot", "n_labels": 10, "reason": "fast"}
        connection.execute(insert(LABEL_FLAG), [row | {"flagged_at_utc": NOW, "status": "waiting"}])
        assert [flag["labelled_by"] for flag in trust.read_flags(connection, PROBLEM)] == ["bot", "script"]


def test_only_a_lead_sees_and_decides_what_was_flagged_and_it_is_written_down(answered: Desk) -> None:
    answered.write_problem(leads=["boss"])
    problem, batch = load_problem(PROBLEM), Place(PROBLEM, "round-001")
    flag(answered)
    with answered.engine.connect() as connection:
        assert [row["labelled_by"] for row in service.list_flags(connection, problem, Person("boss"))] == ["script"]
        with pytest.raises(DeskRefused):
            service.list_flags(connection, problem, Person("script"))
    with pytest.raises(DeskRefused):
        service.decide_flag(answered.engine, problem, batch, "script", Person("script"), accept=True)
    service.decide_flag(answered.engine, problem, batch, "script", Person("boss"), accept=False)
    assert answered.rows(LABEL_FLAG)[0]["status"] == "withdrawn"
    audited = {row["action"]: (row["person"], row["result"], row["after"]) for row in answered.rows(REVIEW_AUDIT)}
    assert audited["withdraw"] == ("boss", "done", {"labelled_by": "script"})
    assert audited["accept"][:2] == ("script", "refused")
