"""One round as a team lives it: opened, answered, skipped, escalated, overdue, finished, measured, and the next one."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from include.errors import DeskRefused
from include.problems.reading import load_problem
from include.review import desk as room
from include.review.people import Person
from include.review.refusals import Refusal
from include.review.seats import Place
from include.review.steps import choose_batch, watch_desk
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import AGREEMENT, REVIEW_BATCH
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM

KIM, LEE, BOSS = Person("kim"), Person("lee"), Person("boss")
FIRST, SECOND = "round-001", "round-002"


@pytest.fixture
def opened(desk):
    """A first batch of ten mails, of which two people should see three."""
    desk.write_problem(overlap_share=0.3, gold_share=0.1, relabel_share=0.2, leads=["boss"])
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    return desk


def take(desk, person, batch_id=FIRST):
    """Ask for an item; None where there is none for this person, or the last answer has finished the batch."""
    if any(batch["batch_id"] == batch_id and batch["status"] == "answered" for batch in desk.batches):
        return None
    found = room.take_item(desk.engine, load_problem(PROBLEM), batch_id, person, "en")
    return found and found["item_id"]


def say(desk, item_id, person, label="wanted", batch_id=FIRST):
    request, place = str(uuid.uuid4()), Place(PROBLEM, batch_id, item_id)
    given = {"label": label, "note": None, "looked_ms": None, "request_id": request}
    return room.answer(desk.engine, load_problem(PROBLEM), place, person, **given)


def pass_on(desk, item_id, person, action):
    given = {"action": action, "reason": "no idea", "looked_ms": None, "request_id": str(uuid.uuid4())}
    return room.pass_on(desk.engine, Place(PROBLEM, FIRST, item_id), person, **given)


def work_off(desk, person, label="wanted", batch_id=FIRST):
    """Answer whatever the desk still has for a person; name the items."""
    done = []
    while (item_id := take(desk, person, batch_id)) is not None:
        say(desk, item_id, person, label, batch_id)
        done.append(item_id)
    return done


def let_it_become_overdue(desk):
    with desk.engine.begin() as connection:
        connection.execute(update(REVIEW_BATCH).values(due_at_utc=datetime.now(UTC) - timedelta(hours=1)))


@pytest.fixture
def finished(opened):
    """Kim escalates one mail, skips one, and answers all others; Lee answers what is left, and what two should see."""
    escalated = take(opened, KIM)
    pass_on(opened, escalated, KIM, "escalate")
    skipped = take(opened, KIM)
    pass_on(opened, skipped, KIM, "skip")
    kims = work_off(opened, KIM, "unsolicited")
    lees = work_off(opened, LEE)
    return opened, escalated, skipped, kims, lees


def test_people_share_a_batch_so_that_every_seat_is_filled_once(finished):
    desk, escalated, skipped, kims, lees = finished
    wanted = {item["item_id"]: item["n_answers_wanted"] for item in desk.items}
    assert skipped in lees
    assert escalated not in {*kims, *lees}
    assert Counter([*kims, *lees]) == Counter(
        {item: (1 if item == skipped else number) for item, number in wanted.items() if item != escalated}
    )


def test_time_releases_second_answers_escalates_what_waits_and_labels_nothing(opened):
    half = take(opened, KIM)
    say(opened, half, KIM)
    let_it_become_overdue(opened)
    assert watch_desk(problem=PROBLEM)["escalated"] == [FIRST]
    assert len(opened.labels) == 1
    work_off(opened, LEE)
    assert watch_desk(problem=PROBLEM)["keys"] == [FIRST]
    assert opened.batches[0]["status"] == "answered"
    assert opened.rows(ALERT) == []
    assert {label["item_id"] for label in opened.labels} == {item["item_id"] for item in opened.items}


def test_after_the_end_nobody_can_answer_any_more(finished):
    desk, _, _, _, lees = finished
    let_it_become_overdue(desk)
    watch_desk(problem=PROBLEM)
    with pytest.raises(DeskRefused) as refused:
        say(desk, lees[0], LEE, "unsolicited")
    assert refused.value.code == Refusal.FINISHED_BATCH


def test_the_next_round_measures_the_people_and_asks_a_lead_what_was_escalated(finished):
    desk, escalated, _, kims, lees = finished
    let_it_become_overdue(desk)
    watch_desk(problem=PROBLEM)
    desk.predict({mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)})
    choose_batch(problem=PROBLEM, partition_key=FIRST)
    (alpha,) = [
        row for row in desk.rows(AGREEMENT) if (row["scope"], row["statistic"]) == ("all", "krippendorff_alpha")
    ]
    both = set(kims) & set(lees)
    assert alpha["n_items"] == len(both) > 0
    again = {item["item_id"]: item for item in desk.items if item["batch_id"] == SECOND}
    assert again[escalated]["skill"] == "lead"
    assert {item["arm"] for key, item in again.items() if key in both} <= {"relabel", "gold"}
    assert any(key in both for key in again)
    assert escalated not in {*work_off(desk, KIM, batch_id=SECOND), *work_off(desk, LEE, batch_id=SECOND)}
    assert escalated in work_off(desk, BOSS, batch_id=SECOND)
