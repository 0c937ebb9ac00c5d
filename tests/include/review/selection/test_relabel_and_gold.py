from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from include.errors import MulgilError
from include.partition_keys import round_key
from include.problems.reading import load_problem
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.selection.relabel_and_gold import count_suspected, read_gold, read_relabels
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from include.warehouse.tables.review import LABEL_FLAG
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)


def open_batch(desk, number, *mails, arm="random"):
    batch_id = round_key(number)
    choices = [Choice(mail, "2002-08", arm, 1.0, None, None) for mail in mails]
    batch = batches.Batch(PROBLEM, batch_id, number, None, len(mails), 20, NOW, NOW + timedelta(days=2), "2002-08")
    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, choices)


def answer(desk, number, by, is_demo=False, **answers):
    with desk.engine.begin() as connection:
        batches.write_answers(
            connection, PROBLEM, round_key(number),
            {f"mail-{key[1:]}": label for key, label in answers.items()},
            classes=["wanted", "unsolicited"], labelled_by=by, is_demo=is_demo, now=NOW,
        )  # fmt: skip


def close(desk, number):
    with desk.engine.begin() as connection:
        batches.close_batch(connection, PROBLEM, round_key(number), NOW)


def gold(desk, salt="s"):
    with desk.engine.connect() as connection:
        return read_gold(connection, load_problem(PROBLEM), desk.truth_path.parent, salt)


def suspected(desk, n_suspected=None):
    with desk.engine.connect() as connection:
        return read_relabels(connection, load_problem(PROBLEM), n_suspected)


@pytest.fixture
def answered(desk):
    """Kim and Lee agree on mail-00 and mail-03, differ on mail-01; only Kim saw mail-02."""
    open_batch(desk, 1, "mail-00", "mail-01", "mail-02", "mail-03")
    answer(desk, 1, "kim", m00="wanted", m01="wanted", m02="wanted", m03="unsolicited")
    answer(desk, 1, "lee", m00="wanted", m01="unsolicited", m03="unsolicited")
    close(desk, 1)
    return desk


@pytest.fixture
def agreed(answered):
    """Ann and Jo have seen mail-00 to mail-03, too; Max, who is of the team, has seen none of them."""
    said = {"m00": "wanted", "m01": "wanted", "m02": "unsolicited", "m03": "unsolicited"}
    answer(answered, 1, "ann", **said)
    answer(answered, 1, "jo", **(said | {"m03": "wanted"}))
    open_batch(answered, 2, "mail-09")
    answer(answered, 2, "max", m09="wanted")
    close(answered, 2)
    return answered


def known(desk):
    return {item.item_id: item.gold_label for item in gold(desk)}


def test_two_people_who_agree_make_nothing_known(answered):
    assert known(answered) == {}


def test_three_people_make_an_answer_known_though_a_fourth_differs(agreed):
    # On mail-01 three of four say wanted, on mail-03 three say unsolicited; on mail-02 there is one against two.
    assert known(agreed) == {"mail-00": "wanted", "mail-01": "wanted", "mail-03": "unsolicited"}


def test_two_who_differ_from_three_leave_nothing_known(agreed):
    answer(agreed, 1, "sam", m03="wanted")
    assert "mail-03" not in known(agreed)


def test_what_everybody_of_the_team_has_answered_can_test_nobody(agreed):
    answer(agreed, 1, "max", m00="wanted")
    assert "mail-00" not in known(agreed)


def test_one_lead_makes_an_answer_known_against_everybody(desk):
    desk.write_problem(leads=["boss"])
    open_batch(desk, 1, "mail-00", "mail-01")
    for person in ("kim", "lee", "ann"):
        answer(desk, 1, person, m00="wanted", m01="wanted")
    answer(desk, 1, "boss", m00="unsolicited")
    close(desk, 1)
    open_batch(desk, 2, "mail-09")
    answer(desk, 2, "max", m09="wanted")
    assert known(desk) == {"mail-00": "unsolicited", "mail-01": "wanted"}


def test_leads_who_differ_make_nothing_known(desk):
    desk.write_problem(leads=["boss", "chief"])
    open_batch(desk, 1, "mail-00")
    for person, label in (("kim", "wanted"), ("lee", "wanted"), ("boss", "wanted"), ("chief", "unsolicited")):
        answer(desk, 1, person, m00=label)
    close(desk, 1)
    open_batch(desk, 2, "mail-09")
    answer(desk, 2, "max", m09="wanted")
    assert known(desk) == {}


def test_an_answer_that_the_newest_model_doubts_is_not_known(agreed):
    suspect(agreed, "round-999-aaaaaa", "mail-01")
    suspect(agreed, "round-1000-aaaaaa", "mail-00")
    assert set(known(agreed)) == {"mail-01", "mail-03"}


def test_answers_that_wait_for_a_lead_make_nothing_known(agreed):
    row = {"problem": PROBLEM, "batch_id": "round-001", "labelled_by": "ann", "n_labels": 4, "reason": "fast"}
    with agreed.engine.begin() as connection:
        connection.execute(insert(LABEL_FLAG), [row | {"flagged_at_utc": NOW, "status": "waiting"}])
    assert known(agreed) == {"mail-00": "wanted"}
    with agreed.engine.begin() as connection:
        connection.execute(update(LABEL_FLAG).values(status="accepted"))
    assert len(known(agreed)) == 3


def test_gold_and_relabels_are_for_people_who_have_not_answered_them(agreed):
    assert {item.is_for_others for item in [*gold(agreed), *suspected(agreed)]} == {True}


def test_a_team_of_one_is_asked_its_own_relabels(desk):
    open_batch(desk, 1, "mail-00")
    answer(desk, 1, "kim", m00="wanted")
    close(desk, 1)
    suspect(desk, "v1", "mail-00")
    assert [(item.item_id, item.is_for_others) for item in suspected(desk)] == [("mail-00", False)]


def test_recorded_truth_that_agrees_with_one_person_is_no_gold(desk):
    open_batch(desk, 1, "mail-00")
    answer(desk, 1, "kim", m00="wanted")
    answer(desk, 1, "demo-reviewer", is_demo=True, m00="wanted")
    close(desk, 1)
    assert gold(desk) == []


def test_what_lies_on_the_desk_is_not_asked_as_gold(agreed):
    open_batch(agreed, 3, "mail-00", arm="gold")
    assert set(known(agreed)) == {"mail-01", "mail-03"}


def test_a_wrong_answer_to_a_gold_question_leaves_the_gold(agreed):
    open_batch(agreed, 3, "mail-00", arm="gold")
    answer(agreed, 3, "max", m00="unsolicited")
    close(agreed, 3)
    assert "mail-00" in known(agreed)


def test_another_salt_gives_another_order_and_the_same_salt_the_same(answered):
    lines = [f'{{"mail_id": "g-{row}", "partition_key": "2002-08", "label": "wanted"}}' for row in range(20)]
    (answered.truth_path.parent / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert gold(answered, "a") == gold(answered, "a") != gold(answered, "b")
    assert len(gold(answered)) == 20


@pytest.mark.parametrize(
    "line", ['{"mail_id": "x", "partition_key": "2002-08", "label": "spam"}', '{"label": "wanted"}', "?"]
)
def test_one_bad_line_of_the_gold_file_is_named(desk, line):
    good = '{"mail_id": "x", "partition_key": "2002-08", "label": "wanted"}\n'
    (desk.truth_path.parent / "gold.jsonl").write_text(good + line, encoding="utf-8")
    with pytest.raises(MulgilError, match=r"gold.jsonl, line 2.*mail_id, partition_key and label"):
        gold(desk)


def test_people_who_disagree_are_asked_once_more_and_told_why(answered):
    assert [(item.item_id, item.reason) for item in suspected(answered)] == [
        ("mail-01", "People: 1 said unsolicited, 1 said wanted.")
    ]
    open_batch(answered, 2, "mail-01", arm="relabel")
    assert suspected(answered) == []  # it lies on the desk


def test_a_tie_is_asked_about_until_it_is_settled_twice_at_most(answered):
    for number in (2, 3):
        assert [item.item_id for item in suspected(answered)] == ["mail-01"]
        open_batch(answered, number, "mail-01", arm="relabel")
        close(answered, number)
    assert suspected(answered) == []


def test_what_most_agree_on_by_now_is_not_asked_a_third_time(answered):
    open_batch(answered, 2, "mail-01", arm="relabel")
    answer(answered, 2, "ann", m01="wanted")
    close(answered, 2)
    assert suspected(answered) == []


def test_who_changes_an_answer_no_longer_disagrees(answered):
    open_batch(answered, 2, "mail-01")
    answer(answered, 2, "lee", m01="wanted")
    close(answered, 2)
    assert suspected(answered) == []


def suspect(desk, version, *ranked):
    rows = [
        {"problem": PROBLEM, "model_version": version, "item_id": item, "partition_key": "2002-08", "rank": rank}
        | {"given_label": "wanted", "suggested_label": "unsolicited", "given_ratio": 0.04, "n_examined": 9}
        | {"found_at_utc": NOW}
        for rank, item in enumerate(ranked, start=1)
    ]
    with desk.engine.begin() as connection:
        connection.execute(insert(SUSPECTED_LABEL), rows)


def test_what_the_newest_model_suspects_comes_after_what_people_dispute(answered):
    suspect(answered, "v1", "mail-02")
    suspect(answered, "v2", "mail-03", "mail-01", "mail-00")
    found = suspected(answered)
    assert [item.item_id for item in found] == ["mail-01", "mail-03", "mail-00"]
    assert found[0].reason.startswith("People: ")
    assert found[1].reason == "People said wanted; the model, not shown this answer, gives that 4%."
    assert [item.item_id for item in suspected(answered, n_suspected=1)] == ["mail-01", "mail-03"]


def count(desk, share=0.1):
    with desk.engine.connect() as connection:
        return count_suspected(connection, load_problem(PROBLEM), 100, share)


def relabel(desk, number, person, *mails, label):
    open_batch(desk, number, *mails, arm="relabel")
    answer(desk, number, person, **{f"m{mail[-2:]}": label for mail in mails})
    close(desk, number)


def test_relabels_become_fewer_while_they_change_nothing_and_more_once_they_do(desk):
    mails = [f"mail-{row:02d}" for row in range(18)]
    open_batch(desk, 1, *mails)
    answer(desk, 1, "kim", **{f"m{mail[-2:]}": "wanted" for mail in mails})
    close(desk, 1)
    assert count(desk) == 10  # nobody knows yet
    relabel(desk, 2, "lee", *mails[:8], label="wanted")
    assert count(desk) == 2  # 10 places, twice (0 + 1) / (8 + 2)
    relabel(desk, 3, "lee", *mails[8:], label="unsolicited")
    assert count(desk) == 10  # twice (10 + 1) / (18 + 2) is more than all of them
    assert count(desk, share=0.0) == 0


def test_relabels_never_stop_altogether(desk):
    mails = [f"mail-{row:02d}" for row in range(20)]
    open_batch(desk, 1, *mails)
    answer(desk, 1, "kim", **{f"m{mail[-2:]}": "wanted" for mail in mails})
    close(desk, 1)
    relabel(desk, 2, "lee", *mails, label="wanted")
    assert count(desk, share=0.05) == 1


def test_a_suspected_label_that_was_asked_again_is_not_asked_a_third_time(answered):
    suspect(answered, "v1", "mail-03")
    open_batch(answered, 2, "mail-03", arm="relabel")
    close(answered, 2)
    assert [item.item_id for item in suspected(answered)] == ["mail-01"]


def escalate(desk, number, item_id, person="kim", at=NOW):
    row = {"problem": PROBLEM, "batch_id": round_key(number), "item_id": item_id, "person": person}
    more = {"action": "escalate", "reason": "ask a lawyer", "passed_at_utc": at}
    with desk.engine.begin() as connection:
        connection.execute(insert(REVIEW_PASS), [row | more])


def test_what_was_escalated_is_asked_again_first_with_the_reason_and_drawn_by_nobody(answered):
    open_batch(answered, 2, "mail-04", "mail-05", "mail-06")
    escalate(answered, 2, "mail-05", at=NOW + timedelta(hours=1))
    escalate(answered, 2, "mail-04")
    close(answered, 2)
    asked = suspected(answered)
    assert [again.item_id for again in asked] == ["mail-04", "mail-05", "mail-01"]
    assert asked[0].reason == "kim escalated it: ask a lawyer"
    with answered.engine.connect() as connection:
        taken = batches.read_taken(connection, PROBLEM)
    assert {"mail-04", "mail-05"} <= taken
    assert "mail-06" not in taken


def test_what_was_escalated_and_answered_since_is_not_asked_again(answered):
    open_batch(answered, 2, "mail-04")
    escalate(answered, 2, "mail-04")
    close(answered, 2)
    open_batch(answered, 3, "mail-04", arm="relabel")
    answer(answered, 3, "lead", m04="wanted")
    close(answered, 3)
    assert [again.item_id for again in suspected(answered)] == ["mail-01"]
