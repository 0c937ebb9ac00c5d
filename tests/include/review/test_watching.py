"""Labels from files, and what the watch does: through the steps, on the small desk."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from include.errors import BadPartition
from include.review.steps import answer_batch, choose_batch, export_batch, import_labels, watch_desk
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import LABEL_FILE, REVIEW_BATCH
from include.warehouse.tables.runs import RUN_STEP
from tests.include.review.conftest import MONTHS, PROBLEM


@pytest.fixture
def opened(desk, mulgil_home):
    """A desk with one open batch of ten mails."""
    (mulgil_home / "landing").mkdir()
    desk.write_problem(overlap_share=0.0)
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    return desk


def drop(mulgil_home, *lines, name="monday.jsonl"):
    folder = mulgil_home / "landing" / "labels" / PROBLEM
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines), encoding="utf-8")


def answers_of(desk, *, labelled_by="kim", label="wanted"):
    return [
        json.dumps({"batch_id": "round-001", "item_id": item["item_id"], "label": label, "labelled_by": labelled_by})
        for item in desk.items
    ]


def watch():
    return watch_desk(problem=PROBLEM)


def set_batch(desk, **values):
    with desk.engine.begin() as connection:
        connection.execute(update(REVIEW_BATCH).values(**values))


def test_a_file_answers_a_batch_and_its_bad_lines_are_counted_with_reasons(opened, mulgil_home):
    good = answers_of(opened)
    drop(mulgil_home, *good[:9], "?", good[9].replace("wanted", "spam"), "!")
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (9, 3)
    assert {(label["labelled_by"], label["is_demo"]) for label in opened.labels} == {("kim", False)}
    (row,) = opened.rows(LABEL_FILE)
    assert (row["n_stored"], row["n_rejected"]) == (9, 3)
    assert row["reasons"] == [
        {"reason": "not a JSON object", "n_lines": 2, "first_line": 10},
        {"reason": "its label is not one of the classes", "n_lines": 1, "first_line": 11},
    ]
    assert watch()["keys"] == []


def test_a_batch_that_files_finished_is_announced_once(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]
    assert opened.batches[0]["status"] == "answered"
    assert opened.batches[0]["announced_at_utc"] is not None
    assert watch()["keys"] == []


def test_a_file_is_read_once_and_again_when_it_changes(opened, mulgil_home):
    good = answers_of(opened)
    drop(mulgil_home, *good[:4])
    assert import_labels(problem=PROBLEM)["n_rows"] == 4
    assert import_labels(problem=PROBLEM)["n_rows"] == 0
    drop(mulgil_home, *good[:4], good[4])
    assert import_labels(problem=PROBLEM)["n_rows"] == 5
    assert len(opened.labels) == 5


def test_where_no_file_was_dropped_nothing_happens(opened):
    assert import_labels(problem=PROBLEM)["files"] == {}


def test_bytes_that_are_no_text_are_rejected_lines_and_stop_nothing(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened)[:1])
    (mulgil_home / "landing" / "labels" / PROBLEM / "broken.jsonl").write_bytes(b"\xff\xfe\x00\n")
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (1, 1)


def test_an_overdue_batch_is_escalated_once_and_never_answered(opened):
    set_batch(opened, due_at_utc=datetime.now(UTC) - timedelta(hours=1))
    outcome = watch()
    assert outcome["escalated"] == ["round-001"]
    assert "trust-and-safety-lead" in outcome["reason"]
    (alert,) = opened.rows(ALERT)
    assert (alert["alert_id"], alert["value"], alert["action"]) == ("review_overdue", 10.0, "review")
    assert "10 of 10 items of round-001" in alert["message"]
    assert (opened.labels, opened.batches[0]["status"]) == ([], "open")
    assert watch()["escalated"] == []
    assert opened.rows(ALERT) == [alert]


def test_an_overdue_batch_that_is_finished_takes_its_alert_back(opened):
    set_batch(opened, due_at_utc=datetime.now(UTC) - timedelta(hours=1))
    watch()
    answer_batch(problem=PROBLEM, partition_key="round-001")
    assert opened.rows(ALERT) == []
    assert opened.batches[0]["escalated_at_utc"] is not None


def test_a_batch_that_is_not_due_yet_is_left_alone(opened):
    assert watch() == {"keys": [], "escalated": [], "reason": "nothing to announce", "n_rows": 0}


def test_a_finished_batch_that_training_never_looked_at_is_announced_again(opened):
    answer_batch(problem=PROBLEM, partition_key="round-001")
    assert watch()["keys"] == []  # its own announcement may still be on the way
    set_batch(opened, answered_at_utc=datetime.now(UTC) - timedelta(hours=1))
    assert watch()["keys"] == ["round-001"]
    row = {"problem": PROBLEM, "stage": "train", "step": "plan_training", "partition_key": "round-001", "run_id": "r"}
    with opened.engine.begin() as connection:
        times = {"started_at_utc": datetime.now(UTC), "duration_s": 0.1, "status": "done"}
        connection.execute(insert(RUN_STEP), [row | times])
    assert watch()["keys"] == []


def test_an_exported_batch_comes_back_as_labels(opened, mulgil_home):
    written = export_batch(problem=PROBLEM, partition_key="round-001")
    assert written["n_rows"] == 10
    lines = [json.loads(line) for line in Path(written["path"]).read_text(encoding="utf-8").splitlines()]
    assert [line["item_id"] for line in lines] == [
        item["item_id"] for item in sorted(opened.items, key=lambda item: item["position"])
    ]
    assert {line["fields"]["subject"] for line in lines} == {"hello"}
    drop(mulgil_home, *(json.dumps(line | {"label": "wanted", "labelled_by": "lee"}) for line in lines))
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]


def test_a_batch_that_does_not_exist_cannot_be_exported(opened):
    with pytest.raises(BadPartition, match="no batch 'round-009'"):
        export_batch(problem=PROBLEM, partition_key="round-009")
