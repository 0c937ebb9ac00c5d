"""A lead takes out what a person said, and lets it in again."""

from datetime import timedelta

import pytest

from include.errors import DeskRefused, MulgilError
from include.learning.data.labels import read_answers
from include.problems.reading import load_problem
from include.review.batches import blocks
from include.review.batches.store import read_taken
from include.review.desk import service
from include.review.desk.permissions import Person
from include.warehouse.tables.desk import REVIEW_AUDIT
from include.warehouse.trusted_labels import is_given, is_relied_on
from tests.include.review.batches.test_trust import NOW, answer, answered, people  # noqa: F401 - a fixture
from tests.include.review.conftest import PROBLEM
from tests.include.review.selection.test_relabel_and_gold import open_batch


def block(desk, person="script", by="boss", reason="a script"):
    with desk.engine.begin() as connection:
        return blocks.block_person(connection, PROBLEM, person, reason=reason, blocked_by=by, now=NOW)


def test_answers_of_a_blocked_person_stay_and_count_nowhere_until_the_block_is_lifted(answered):  # noqa: F811
    assert block(answered) == 20
    assert people(answered, is_relied_on()) == people(answered, is_given()) == {"kim"}
    assert len(answered.labels) == 40
    with answered.engine.begin() as connection:
        assert set(read_answers(connection, PROBLEM, "round-001")["labelled_by"]) == {"kim"}
        blocks.lift_block(connection, PROBLEM, "script", lifted_by="boss", now=NOW + timedelta(days=1))
    assert people(answered, is_given()) == {"kim", "script"}
    with answered.engine.connect() as connection:
        assert blocks.read_blocked(connection, PROBLEM) == set()


def test_items_that_only_a_blocked_person_answered_can_be_asked_again(desk):
    open_batch(desk, 1, "mail-00", "mail-01")
    answer(desk, "script", 2, 1.0)
    block(desk)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE core.review_batch SET status = 'answered'")
        assert not read_taken(connection, PROBLEM)


@pytest.mark.parametrize(
    ("person", "by", "reason"), [("script", "script", "x"), ("script", "boss", " "), ("nobody", "boss", "x")]
)
def test_nobody_blocks_themselves_or_a_stranger_or_without_a_reason(answered, person, by, reason):  # noqa: F811
    with pytest.raises(MulgilError, match="was not blocked"):
        block(answered, person, by, reason)
    with answered.engine.begin() as connection, pytest.raises(MulgilError, match="is not blocked"):
        blocks.lift_block(connection, PROBLEM, "kim", lifted_by="boss", now=NOW)


def test_the_desk_takes_nothing_from_a_blocked_person_and_keeps_who_blocked_them(answered):  # noqa: F811
    problem, lead = load_problem(PROBLEM), Person("boss", frozenset({"Lead"}))
    with pytest.raises(DeskRefused, match="leads only"):
        service.block_person(answered.engine, problem, "script", Person("kim"), reason="x", is_blocked=True)
    with pytest.raises(DeskRefused, match="unknown person"):
        service.block_person(answered.engine, problem, "nobody", lead, reason="x", is_blocked=True)
    service.block_person(answered.engine, problem, "script", lead, reason="a script", is_blocked=True)
    with answered.engine.connect() as connection:
        (row,) = service.list_blocks(connection, problem, lead)
    assert (row["labelled_by"], row["reason"], row["blocked_by"], row["n_labels"]) == ("script", "a script", "boss", 20)
    with pytest.raises(DeskRefused, match="blocked"):
        service.take_item(answered.engine, problem, "round-001", Person("script"), "en")
    service.block_person(answered.engine, problem, "script", lead, reason="it was a person", is_blocked=False)
    done = [row for row in answered.rows(REVIEW_AUDIT) if row["result"] == "done"]
    assert {row["action"] for row in done} == {"block", "unblock"}
