"""One round as a team lives it: opened, answered, skipped, escalated, overdue, finished, measured, and the next one."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from include.errors import DeskRefused
from include.problems.reading import load_problem
from include.review.batches.assignments import Place
from include.review.desk import service as room
from include.review.desk.permissions import Person
from include.review.desk.refusals import Refusal
from include.review.metrics import store
from include.review.selection import open_round
from include.review.steps import choose_batch, watch_desk
from include.warehouse.locks import lock_number
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
    assert not {key for key, item in again.items() if item["arm"] == "gold"}  # two people make nothing known
    assert escalated not in {*work_off(desk, KIM, batch_id=SECOND), *work_off(desk, LEE, batch_id=SECOND)}
    assert escalated in work_off(desk, BOSS, batch_id=SECOND)


def play_on(desk, number):
    """Finish what is open by its due time, and open the next round."""
    let_it_become_overdue(desk)
    watch_desk(problem=PROBLEM)
    desk.predict({mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)}, f"round-{number:03d}-aaaaaa")
    return choose_batch(problem=PROBLEM, partition_key=f"round-{number:03d}")


def test_gold_is_never_shown_to_who_made_it_known(desk):
    desk.write_problem(overlap_share=0.0, gold_share=0.3, relabel_share=0.0, leads=["boss"], budget=6)
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    first = take(desk, LEE)
    say(desk, first, LEE)
    bosses = work_off(desk, BOSS)
    play_on(desk, 1)
    gold = {item["item_id"] for item in desk.items if item["batch_id"] == SECOND and item["arm"] == "gold"}
    assert gold
    assert gold <= set(bosses)
    assert not gold & set(work_off(desk, BOSS, batch_id=SECOND))
    assert gold <= set(work_off(desk, LEE, batch_id=SECOND))


def test_a_relabel_goes_to_somebody_else_and_after_its_due_time_to_anybody(finished):
    desk, escalated, _, kims, lees = finished
    play_on(desk, 1)
    again = {item["item_id"] for item in desk.items if item["batch_id"] == SECOND and item["arm"] == "relabel"}
    disputed = again - {escalated}
    assert disputed <= set(kims) & set(lees)  # both have answered: it is for whoever comes
    assert {item["is_for_others"] for item in desk.items if item["item_id"] in disputed} == {False}


def test_a_team_of_one_is_not_asked_for_second_opinions_and_told_why(desk):
    desk.write_problem(overlap_share=0.5)
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    work_off(desk, KIM)
    outcome = play_on(desk, 1)
    assert outcome["reason"].endswith("Nobody sees an item twice: kim answers alone")
    assert {item["n_answers_wanted"] for item in desk.items if item["batch_id"] == SECOND} == {1}


def test_the_desk_is_free_while_the_pool_is_read_and_people_are_measured(finished, monkeypatch):
    desk, *_ = finished
    let_it_become_overdue(desk)
    watch_desk(problem=PROBLEM)
    desk.predict({mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)})
    seen = []

    def watched(name, function):
        def call(*arguments, **options):
            with desk.engine.begin() as connection:  # what a person's last answer asks for, at this very moment
                lock = {"lock": lock_number("review", PROBLEM)}
                seen.append((name, connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), lock)))
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(open_round, "read_pool", watched("pool", open_round.read_pool))
    monkeypatch.setattr(open_round, "plan_batch", watched("plan", open_round.plan_batch))
    monkeypatch.setattr(store, "measure_agreement", watched("people", store.measure_agreement))
    monkeypatch.setattr(open_round, "write_round", watched("write", open_round.write_round))
    assert choose_batch(problem=PROBLEM, partition_key=FIRST)["batch_id"] == SECOND
    assert seen == [("people", True), ("pool", True), ("plan", True), ("write", False)]
