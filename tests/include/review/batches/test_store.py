from datetime import UTC, datetime, timedelta

import pytest

from include.errors import MulgilError
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)
CLASSES = ["wanted", "unsolicited"]


@pytest.fixture
def opened(desk):
    """A batch of two items, mail-00 and mail-01."""
    choices = [Choice(f"mail-0{index}", "2002-08", "entropy", 1.0, 0.6, 0.4) for index in range(2)]
    batch = batches.Batch(PROBLEM, "round-001", 1, "v1", 2, 20, NOW, NOW + timedelta(days=2), "2002-08")
    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, choices)
    return desk


def answer(desk, answers, *, labelled_by="kim", now=NOW):
    with desk.engine.begin() as connection:
        return batches.write_answers(
            connection,
            PROBLEM,
            "round-001",
            answers,
            classes=CLASSES,
            labelled_by=labelled_by,
            is_demo=False,
            now=now,
        )


def test_one_item_of_another_batch_is_refused_and_nothing_is_stored(opened):
    with pytest.raises(MulgilError, match=r"1 of 2 answered items are not in round-001.*'mail-09'"):
        answer(opened, {"mail-00": "wanted", "mail-09": "wanted"})
    assert opened.labels == []


def test_one_answer_that_is_no_class_is_refused_and_nothing_is_stored(opened):
    with pytest.raises(MulgilError, match=r"1 of 2 answered items.*not one of \['wanted', 'unsolicited'\].*'spam'"):
        answer(opened, {"mail-00": "wanted", "mail-01": "spam"})
    assert opened.labels == []


def test_a_second_answer_of_one_person_replaces_the_first(opened):
    answer(opened, {"mail-00": "wanted"})
    answer(opened, {"mail-00": "unsolicited"})
    assert [label["label"] for label in opened.labels] == ["unsolicited"]


def test_two_people_may_answer_the_same_item(opened):
    answer(opened, {"mail-00": "wanted"})
    answer(opened, {"mail-00": "unsolicited"}, labelled_by="lee")
    assert {label["labelled_by"]: label["label"] for label in opened.labels} == {"kim": "wanted", "lee": "unsolicited"}


def test_what_nobody_answered_comes_in_the_order_of_the_batch(opened):
    with opened.engine.connect() as connection:
        assert batches.read_unanswered(connection, PROBLEM, "round-001") == ["mail-00", "mail-01"]
    answer(opened, {"mail-00": "wanted"})
    with opened.engine.connect() as connection:
        assert batches.read_unanswered(connection, PROBLEM, "round-001") == ["mail-01"]


def test_a_batch_is_answered_when_its_last_answer_came_and_stays_so(opened):
    answer(opened, {"mail-00": "wanted"}, now=NOW + timedelta(hours=1))
    answer(opened, {"mail-01": "wanted"}, now=NOW + timedelta(hours=5))
    with opened.engine.begin() as connection:
        batches.close_batch(connection, PROBLEM, "round-001", NOW)
    answer(opened, {"mail-01": "unsolicited"}, now=NOW + timedelta(hours=9))
    with opened.engine.begin() as connection:
        batches.close_batch(connection, PROBLEM, "round-001", NOW)
    assert (opened.batches[0]["status"], opened.batches[0]["answered_at_utc"]) == ("answered", NOW + timedelta(hours=5))


def test_labelled_items_and_items_on_the_desk_are_taken(opened):
    with opened.engine.begin() as connection:
        assert batches.read_taken(connection, PROBLEM) == {"mail-00", "mail-01"}
        batches.close_batch(connection, PROBLEM, "round-001", NOW)
        assert batches.read_taken(connection, PROBLEM) == set()
    answer(opened, {"mail-01": "wanted"})
    with opened.engine.connect() as connection:
        assert batches.read_taken(connection, PROBLEM) == {"mail-01"}
        assert batches.read_taken(connection, "another_problem") == set()
