"""Labels from files, and what the watch does: through the steps, on the small desk."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, update

from include.review.steps import answer_batch, import_labels
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import REVIEW_BATCH
from include.warehouse.tables.runs import RUN_STEP
from tests.include.review.conftest import PROBLEM, answers_of, drop, watch


def set_batch(desk, **values):
    with desk.engine.begin() as connection:
        connection.execute(update(REVIEW_BATCH).values(**values))


def test_a_batch_that_files_finished_is_announced_once(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]
    assert opened.batches[0]["status"] == "answered"
    assert opened.batches[0]["announced_at_utc"] is not None
    assert watch()["keys"] == []


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
