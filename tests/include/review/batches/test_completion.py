from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.errors import UnknownBatch
from include.names import Coverage, Stage
from include.review.batches import assignments
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.batches.completion import finish_batch_if_complete, read_waiting
from include.warehouse import coverage
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)
DUE = NOW + timedelta(days=2)


@pytest.fixture
def opened(desk):
    """A batch of two items: one person should answer mail-00, two people mail-01."""
    once = Choice("mail-00", "2002-08", "entropy", 1.0, 0.6, 0.4)
    twice = replace(once, item_id="mail-01", n_answers_wanted=2)
    batch = batches.Batch(PROBLEM, "round-001", 1, "v1", 2, 20, NOW, DUE, "2002-08")
    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, [once, twice])
    return desk


def answer(desk, *mails, by="kim", is_demo=False):
    with desk.engine.begin() as connection:
        batches.write_answers(
            connection, PROBLEM, "round-001", dict.fromkeys(mails, "wanted"),
            classes=["wanted", "unsolicited"], labelled_by=by, is_demo=is_demo, now=NOW,
        )  # fmt: skip


def finish(desk, *, now=NOW, let_go=()):
    with desk.engine.begin() as connection:
        for item_id in let_go:
            assignments.let_go(connection, assignments.Place(PROBLEM, "round-001", item_id))
        return finish_batch_if_complete(connection, PROBLEM, "round-001", now)


def waiting(desk, **options):
    with desk.engine.connect() as connection:
        return read_waiting(connection, PROBLEM, "round-001", **({"now": NOW} | options))


def test_an_overlap_item_waits_for_the_second_person(opened):
    answer(opened, "mail-00", "mail-01")
    assert waiting(opened) == ["mail-01"]
    assert not finish(opened)
    assert opened.batches[0]["status"] == "open"
    answer(opened, "mail-01", by="lee")
    assert finish(opened)
    assert opened.batches[0]["status"] == "answered"
    with opened.engine.connect() as connection:
        assert coverage.read_statuses(connection, PROBLEM, Stage.REVIEW) == {"round-001": Coverage.DONE}


def test_the_same_person_twice_is_one_person(opened):
    answer(opened, "mail-00", "mail-01")
    answer(opened, "mail-01")
    assert waiting(opened) == ["mail-01"]


def test_recorded_truth_is_not_asked_twice(opened):
    answer(opened, "mail-00", "mail-01", by="demo-reviewer", is_demo=True)
    assert finish(opened)


def test_a_timeout_releases_the_second_answer_but_never_becomes_a_label(opened):
    answer(opened, "mail-01")
    late = DUE + timedelta(seconds=1)
    assert waiting(opened, now=DUE) == ["mail-00", "mail-01"]
    assert waiting(opened, now=late) == ["mail-00"]
    assert not finish(opened, now=late)
    assert len(opened.labels) == 1


def test_an_item_that_was_let_go_holds_nothing_up(opened):
    answer(opened, "mail-00")
    assert not finish(opened)
    assert finish(opened, let_go=["mail-01"])


def test_a_batch_of_which_every_item_was_let_go_is_finished_now(opened):
    later = NOW + timedelta(hours=1)
    assert finish(opened, now=later, let_go=["mail-00", "mail-01"])
    assert opened.batches[0]["answered_at_utc"] == later


def test_a_finished_batch_stays_as_it_is(opened):
    answer(opened, "mail-00", "mail-01", is_demo=True)
    finish(opened)
    before = opened.batches
    assert finish(opened, now=NOW + timedelta(days=9))
    assert opened.batches == before


def test_an_unknown_batch_is_named(opened):
    with pytest.raises(UnknownBatch, match="no batch 'round-007'"), opened.engine.begin() as connection:
        finish_batch_if_complete(connection, PROBLEM, "round-007", NOW)


def test_a_third_is_asked_where_two_differ_and_nobody_where_they_agree(desk):
    one = Choice("mail-00", "2002-08", "random", 1.0, None, None, n_answers_wanted=2, n_answers_most=3)
    choices, now = [one, replace(one, item_id="mail-01")], NOW
    batch = batches.Batch(PROBLEM, "round-001", 1, None, 2, 20, NOW, DUE, "2002-09")

    def say(connection, person, **labels):
        answers = {f"mail-{name[1:]}": label for name, label in labels.items()}
        options = {"classes": ("wanted", "unsolicited"), "labelled_by": person, "is_demo": False, "now": now}
        batches.write_answers(connection, PROBLEM, "round-001", answers, **options)

    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, choices)
        say(connection, "kim", m00="wanted", m01="wanted")
        say(connection, "lee", m00="unsolicited", m01="wanted")
        assert not finish_batch_if_complete(connection, PROBLEM, "round-001", now)
        assert read_waiting(connection, PROBLEM, "round-001", now=now) == ["mail-00"]
        assert not finish_batch_if_complete(connection, PROBLEM, "round-001", now)
        say(connection, "max", m00="wanted")
        assert finish_batch_if_complete(connection, PROBLEM, "round-001", now)
