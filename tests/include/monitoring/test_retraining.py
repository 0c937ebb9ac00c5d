from datetime import UTC, datetime, timedelta

import pytest

from include.monitoring.retraining import due_answers, due_request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def make_event(event="opened", number=1, cause="drift", key="2026-02", at=NOW, **changes):
    row = {"problem": "p", "alert_id": cause, "event_number": number, "event": event, "partition_key": key}
    row |= {"metric": "psi_ratio", "subject": "speed", "value": 0.4, "bound": 0.25, "happened_at_utc": at}
    return row | changes


def ask(opened, before=(), *, is_waiting=False, now=NOW):
    return due_request(opened, before, is_waiting=is_waiting, now=now, retrain_every=DAY)


def test_what_is_opened_asks_once_for_all_causes_of_one_look():
    row = ask([make_event(), make_event(cause="output_drift")])
    assert (row["event"], row["alert_id"], row["event_number"]) == ("retrain_asked", "drift", 2)
    assert (row["actor"], row["is_by_person"], row["partition_key"]) == ("monitor", False, "2026-02")


def test_its_number_follows_whatever_happened_in_the_same_look():
    assert ask([make_event(number=5), make_event("escalated", 6)])["event_number"] == 7


@pytest.mark.parametrize("event", ["escalated", "closed", "retrain_asked"])
def test_what_stands_or_ends_asks_for_nothing(event):
    assert ask([make_event(event)]) is None


def test_no_model_brings_partitions_that_are_late():
    assert ask([make_event(cause="late")]) is None
    assert ask([make_event(cause="late"), make_event(cause="drift")])["alert_id"] == "drift"


def test_nobody_asks_while_a_request_waits():
    assert ask([make_event()], is_waiting=True) is None


@pytest.mark.parametrize(("waited", "is_asked"), [(DAY - timedelta(seconds=1), False), (DAY, True)])
def test_nobody_asks_again_within_the_stated_time(waited, is_asked):
    before = [make_event("retrain_asked", 2, "calibration", "2026-01")]
    assert (ask([make_event()], before, now=NOW + waited) is not None) is is_asked


def test_a_cause_asks_once_for_a_partition_however_often_it_is_opened():
    before = [make_event("retrain_asked", 2, at=NOW - 9 * DAY)]
    assert ask([make_event(number=5)], before) is None
    assert ask([make_event(number=5, key="2026-03")], before)["partition_key"] == "2026-03"
    assert ask([make_event(number=5), make_event(cause="calibration")], before)["alert_id"] == "calibration"


def make_version(at, status="promoted"):
    return {"model_version": "2026-02-ab", "trained_through": "2026-02", "trained_at_utc": at, "status": status}


@pytest.mark.parametrize("status", ["promoted", "rejected", "awaiting_approval"])
def test_a_version_that_was_decided_since_answers_every_request(status):
    waiting = [make_event("retrain_asked", 2), make_event("retrain_asked", 3, "calibration")]
    version = make_version(NOW + DAY, status)
    rows = due_answers(waiting, {"drift": 4, "calibration": 3}, version, [NOW], NOW + DAY)
    assert [(row["event"], row["alert_id"], row["event_number"]) for row in rows] == [
        ("retrained", "drift", 5), ("retrained", "calibration", 4),
    ]  # fmt: skip
    assert rows[0]["reason"] == f"2026-02-ab was trained through 2026-02: {status.replace('_', ' ')}."


@pytest.mark.parametrize("version", [None, make_version(NOW - DAY), make_version(NOW)])
def test_a_version_from_before_answers_nothing(version):
    assert due_answers([make_event("retrain_asked", 2)], {"drift": 2}, version, [NOW], NOW + DAY) == []


@pytest.mark.parametrize("hours", [[], [-1], [-1, 5], [4]])
def test_a_training_that_was_planned_before_it_was_asked_for_answers_nothing(hours):
    plans, version = [NOW + timedelta(hours=one) for one in hours], make_version(NOW + timedelta(hours=4))
    assert due_answers([make_event("retrain_asked", 2)], {"drift": 2}, version, plans, NOW + DAY) == []
