"""Labels that exist already, through the steps, on the small desk."""

import csv
import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from include.learning.data.labels import read_answers
from include.names import Arm
from include.problems.reading import load_problem
from include.review.batches import store as batches
from include.review.batches.late_answers import LATE, LateAnswer, asked_rounds, record_late_answers
from include.review.metrics.store import measure_review
from include.review.steps import choose_batch, import_labels
from include.warehouse.tables.review import LABEL_FILE, REVIEW_BATCH, REVIEW_ESTIMATE
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, answers_of, drop, watch


def line(item, label="wanted", by="archive", **more):
    return json.dumps({"item_id": item, "label": label, "labelled_by": by} | more)


def forget_patience(desk):
    with desk.engine.begin() as connection:
        connection.execute(update(REVIEW_BATCH).values(answered_at_utc=datetime.now(UTC) - timedelta(hours=1)))


def test_labels_come_in_before_any_batch_and_are_announced_as_a_round(desk, mulgil_home):
    (mulgil_home / "landing").mkdir()
    desk.publish(*MONTHS)
    drop(mulgil_home, line("mail-00", labelled_at="2002-08-01T09:00:00"), line("mail-11"), line("mail-99"))
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (2, 1)
    assert {(row["arm"], row["batch_id"]) for row in desk.labels} == {("imported", "round-001")}
    assert min(row["labelled_at_utc"] for row in desk.labels) == datetime(2002, 8, 1, 9, tzinfo=UTC)
    assert [(row["item_id"], row["partition_key"]) for row in desk.items] == [
        ("mail-00", "2002-08"),
        ("mail-11", "2002-09"),
    ]
    (batch,) = desk.batches
    assert (batch["status"], batch["opened_by"], batch["n_pool"], batch["n_items"]) == ("answered", LATE, 20, 2)
    assert desk.rows(LABEL_FILE)[0]["reasons"][0]["reason"].startswith("no published row")
    forget_patience(desk)
    assert watch()["keys"] == ["round-001"]
    # Nobody is asked about them again, and the rounds that people are asked in are counted without this one.
    assert choose_batch(problem=PROBLEM, partition_key="round-001")["batch_id"] == "round-002"
    assert not {"mail-00", "mail-11"} & {row["item_id"] for row in desk.items if row["batch_id"] == "round-002"}
    assert [row["batch_id"] for row in asked_rounds(desk.batches)] == ["round-002"]


def test_labels_join_an_open_batch_and_leave_its_own_items_alone(opened, mulgil_home):
    asked = {item["item_id"] for item in opened.items}
    free = sorted(MAILS.keys() - asked)
    drop(mulgil_home, line(free[0]), line(sorted(asked)[0]), name="archive.jsonl")
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (1, 1)
    assert opened.rows(LABEL_FILE)[0]["reasons"][0]["reason"].startswith("its item lies on the desk")
    assert opened.batches[0]["status"] == "open"
    drop(mulgil_home, *[answer for answer in answers_of(opened) if free[0] not in answer])
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]


def test_imported_labels_are_counted_and_never_stand_for_the_pool(opened, mulgil_home):
    free = sorted(MAILS.keys() - {item["item_id"] for item in opened.items})
    drop(mulgil_home, *(line(item, "unsolicited") for item in free), name="archive.jsonl")
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    watch()
    with opened.engine.begin() as connection:
        measure_review(connection, load_problem(PROBLEM), datetime.now(UTC))
    (estimate,) = [row for row in opened.rows(REVIEW_ESTIMATE) if row["quantity"] == "positive_ratio"]
    # All twenty are known: half are positive, whatever the ten of the batch alone would say.
    assert (estimate["n_labels"], estimate["low"], estimate["high"]) == (20, 0.5, 0.5)


def test_a_table_is_read_as_lines_are(opened, mulgil_home):
    free = sorted(MAILS.keys() - {item["item_id"] for item in opened.items})
    folder = mulgil_home / "landing" / "labels" / PROBLEM
    folder.mkdir(parents=True)
    with (folder / "archive.CSV").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([["item_id", "label", "labelled_by"], [free[0], "wanted", "ann"], [free[1], "egg", "ann"]])
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (1, 1)
    assert opened.labels[0]["labelled_by"] == "ann"


def test_a_newer_answer_of_the_same_person_counts_and_the_older_one_stays(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    watch()
    item = opened.items[0]["item_id"]
    drop(mulgil_home, line(item, "unsolicited", by="kim"), name="later.jsonl")
    import_labels(problem=PROBLEM)
    said = [row["label"] for row in opened.labels if row["item_id"] == item]
    assert sorted(said) == ["unsolicited", "wanted"]
    with opened.engine.connect() as connection:
        answers = read_answers(connection, PROBLEM, "round-002").set_index("item_id")
    assert answers.loc[item, "label"] == "unsolicited"


def test_a_leads_word_counts_alone_and_the_item_keeps_its_arm(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    watch()
    item = next(item for item in opened.items if item["arm"] == "random")
    now = datetime.now(UTC)
    word = LateAnswer(item["item_id"], item["partition_key"], "lead", "unsolicited", now)
    with opened.engine.begin() as connection:
        batches.hold_desk(connection, PROBLEM)
        batch_id = record_late_answers(connection, PROBLEM, [word], Arm.ADJUDICATION, now, lambda: 0)
        answers = read_answers(connection, PROBLEM, batch_id).set_index("item_id")
    assert answers.loc[item["item_id"]].tolist() == ["unsolicited", "random", "lead"]
