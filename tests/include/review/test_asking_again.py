from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from include.errors import MulgilError
from include.problems.reading import load_problem
from include.review import batches
from include.review.asking_again import read_doubted, read_gold
from include.review.planning import Choice
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)


def open_batch(desk, number, *mails, arm="random"):
    batch_id = batches.batch_id_of(number)
    choices = [Choice(mail, "2002-08", arm, 1.0, None, None) for mail in mails]
    batch = batches.Batch(PROBLEM, batch_id, number, None, len(mails), 20, NOW, NOW + timedelta(days=2), "2002-08")
    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, choices)


def answer(desk, number, by, is_demo=False, **answers):
    with desk.engine.begin() as connection:
        batches.write_answers(
            connection, PROBLEM, batches.batch_id_of(number),
            {f"mail-{key[1:]}": label for key, label in answers.items()},
            classes=["wanted", "unsolicited"], labelled_by=by, is_demo=is_demo, now=NOW,
        )  # fmt: skip


def close(desk, number):
    with desk.engine.begin() as connection:
        batches.close_batch(connection, PROBLEM, batches.batch_id_of(number), NOW)


def gold(desk, salt="s"):
    with desk.engine.connect() as connection:
        return read_gold(connection, load_problem(PROBLEM), desk.truth_path.parent, salt)


def doubted(desk):
    with desk.engine.connect() as connection:
        return read_doubted(connection, PROBLEM)


@pytest.fixture
def answered(desk):
    """Kim and Lee agree on mail-00 and mail-03, differ on mail-01; only Kim saw mail-02."""
    open_batch(desk, 1, "mail-00", "mail-01", "mail-02", "mail-03")
    answer(desk, 1, "kim", m00="wanted", m01="wanted", m02="wanted", m03="unsolicited")
    answer(desk, 1, "lee", m00="wanted", m01="unsolicited", m03="unsolicited")
    close(desk, 1)
    return desk


def test_what_two_people_agree_on_is_gold_and_what_one_says_is_not(answered):
    assert {(item.item_id, item.gold_label) for item in gold(answered)} == {
        ("mail-00", "wanted"),
        ("mail-03", "unsolicited"),
    }


def test_recorded_truth_that_agrees_with_one_person_is_no_gold(desk):
    open_batch(desk, 1, "mail-00")
    answer(desk, 1, "kim", m00="wanted")
    answer(desk, 1, "demo-reviewer", is_demo=True, m00="wanted")
    close(desk, 1)
    assert gold(desk) == []


def test_what_lies_on_the_desk_is_not_asked_as_gold(answered):
    open_batch(answered, 2, "mail-00", arm="gold")
    assert [item.item_id for item in gold(answered)] == ["mail-03"]


def test_a_wrong_answer_to_a_gold_question_leaves_the_gold(answered):
    open_batch(answered, 2, "mail-00", arm="gold")
    answer(answered, 2, "kim", m00="unsolicited")
    close(answered, 2)
    assert {item.item_id for item in gold(answered)} == {"mail-00", "mail-03"}
    assert [item.item_id for item in doubted(answered)] == ["mail-01"]


def test_another_salt_gives_another_order_and_the_same_salt_the_same(answered):
    lines = [f'{{"mail_id": "g-{row}", "partition_key": "2002-08", "label": "wanted"}}' for row in range(20)]
    (answered.truth_path.parent / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert gold(answered, "a") == gold(answered, "a") != gold(answered, "b")
    assert len(gold(answered)) == 22


@pytest.mark.parametrize(
    "line", ['{"mail_id": "x", "partition_key": "2002-08", "label": "spam"}', '{"label": "wanted"}', "?"]
)
def test_one_bad_line_of_the_gold_file_is_named(desk, line):
    good = '{"mail_id": "x", "partition_key": "2002-08", "label": "wanted"}\n'
    (desk.truth_path.parent / "gold.jsonl").write_text(good + line, encoding="utf-8")
    with pytest.raises(MulgilError, match=r"gold.jsonl, line 2.*mail_id, partition_key and label"):
        gold(desk)


def test_people_who_disagree_are_asked_once_more_and_told_why(answered):
    assert [(item.item_id, item.reason) for item in doubted(answered)] == [
        ("mail-01", "People: 1 said unsolicited, 1 said wanted.")
    ]
    open_batch(answered, 2, "mail-01", arm="relabel")
    assert doubted(answered) == []


def test_who_changes_an_answer_no_longer_disagrees(answered):
    open_batch(answered, 2, "mail-01")
    answer(answered, 2, "lee", m01="wanted")
    close(answered, 2)
    assert doubted(answered) == []


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
    found = doubted(answered)
    assert [item.item_id for item in found] == ["mail-01", "mail-03", "mail-00"]
    assert found[0].reason.startswith("People: ")
    assert found[1].reason == "People said wanted; the model, not shown this answer, gives that 4%."


def test_a_suspected_label_that_was_asked_again_is_not_asked_a_third_time(answered):
    suspect(answered, "v1", "mail-03")
    open_batch(answered, 2, "mail-03", arm="relabel")
    close(answered, 2)
    assert [item.item_id for item in doubted(answered)] == ["mail-01"]


def escalate(desk, number, item_id, person="kim", at=NOW):
    row = {"problem": PROBLEM, "batch_id": batches.batch_id_of(number), "item_id": item_id, "person": person}
    more = {"action": "escalate", "reason": "ask a lawyer", "passed_at_utc": at}
    with desk.engine.begin() as connection:
        connection.execute(insert(REVIEW_PASS), [row | more])


def test_what_was_escalated_is_asked_again_first_with_the_reason_and_drawn_by_nobody(answered):
    open_batch(answered, 2, "mail-04", "mail-05", "mail-06")
    escalate(answered, 2, "mail-05", at=NOW + timedelta(hours=1))
    escalate(answered, 2, "mail-04")
    close(answered, 2)
    asked = doubted(answered)
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
    assert [again.item_id for again in doubted(answered)] == ["mail-01"]
