from datetime import UTC, datetime, timedelta

import pytest

CHOSEN = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_a_queue_shows_what_waits_how_late_and_how_long_an_answer_takes(fill, read):
    late = datetime.now(UTC) - timedelta(hours=5)
    open_batch = {"batch_id": "round-002", "round_number": 2, "status": "open", "n_items": 3}
    fill("review_batch", open_batch, due_at_utc=late, chosen_at_utc=late - timedelta(hours=1))
    for item, wanted in (("a", 1), ("b", 2), ("c", 1)):
        fill("review_item", {"item_id": item, "n_answers_wanted": wanted}, batch_id="round-002")
    for item, person, duration_ms in (("a", "kim", 2_000), ("b", "kim", 4_000), ("b", "lee", 9_000)):
        row = {"item_id": item, "labelled_by": person, "duration_ms": duration_ms, "is_demo": False}
        fill("label", row, batch_id="round-002")
    fill(
        "label",
        {"item_id": "a", "labelled_by": "demo-reviewer", "duration_ms": 1, "is_demo": True},
        batch_id="round-002",
    )
    columns = ("n_items", "n_answers_wanted", "n_answers", "n_waiting", "n_people", "seconds_per_answer_median")
    assert read("review_queue_health", *columns) == [(3, 4, 4, 1, 2, 4.0)]
    assert read("review_queue_health", "seconds_per_answer_p90") == [pytest.approx(8.0)]
    assert read("review_queue_health", "hours_overdue") == [pytest.approx(5.0, abs=0.1)]


def test_a_finished_batch_waits_for_nothing_and_is_not_overdue(fill, read):
    fill("review_batch", {"status": "answered", "n_items": 3}, chosen_at_utc=CHOSEN, due_at_utc=CHOSEN)
    fill(
        "review_batch",
        {"batch_id": "y", "status": "answered"},
        chosen_at_utc=CHOSEN,
        answered_at_utc=CHOSEN.replace(hour=14),
    )
    columns = ("n_waiting", "hours_overdue", "n_answers")
    assert read("review_queue_health", *columns, by="batch_id") == [(0, None, 0), (0, None, 0)]
    assert read("review_queue_health", "hours_on_desk", by="batch_id")[1] == 6.0


def test_a_batch_that_is_open_and_not_due_yet_is_not_overdue(fill, read):
    fill("review_batch", {"status": "open", "n_items": 2}, due_at_utc=datetime.now(UTC) + timedelta(hours=3))
    fill("review_item", {"item_id": "a"}, {"item_id": "b"})
    assert read("review_queue_health", "hours_overdue", "n_waiting") == [(0.0, 2)]


def test_items_that_want_a_second_person_wait_and_are_counted_as_such(fill, read):
    due = datetime.now(UTC) + timedelta(hours=3)
    fill("review_batch", {"batch_id": "b", "status": "open", "n_items": 4}, due_at_utc=due)
    wanted = {"a": 2, "b": 2, "c": 2, "d": 1}
    fill("review_item", *({"item_id": item, "n_answers_wanted": n} for item, n in wanted.items()), batch_id="b")
    answers = [("a", "kim", False), ("b", "kim", False), ("b", "lee", False), ("c", "demo-reviewer", True)]
    fill(
        "label",
        *({"item_id": item, "labelled_by": person, "is_demo": is_demo} for item, person, is_demo in answers),
        batch_id="b",
    )
    assert read("review_queue_health", "n_waiting", "n_second_wanted") == [(2, 1)]  # a wants a second, d a first


def test_what_was_let_go_waits_for_nobody_and_what_was_skipped_once_still_waits(fill, read):
    fill("review_batch", {"batch_id": "b", "status": "open", "n_items": 4}, due_at_utc=CHOSEN)
    seats = {"a": "passed", "b": "open", "c": "passed", "d": "open"}
    fill("review_item", *({"item_id": item} for item in seats), batch_id="b")
    fill("review_seat", *({"item_id": item, "state": state} for item, state in seats.items()), batch_id="b")
    fill("label", {"item_id": "c"}, batch_id="b")  # one of two people answered, the other seat was let go
    passes = [("a", "kim", "skip"), ("a", "lee", "escalate"), ("b", "kim", "skip"), ("b", "lee", "skip")]
    fill(
        "review_pass",
        *({"item_id": item, "person": person, "action": action} for item, person, action in passes),
        batch_id="b",
    )
    assert read("review_queue_health", "n_waiting", "n_skipped", "n_escalated") == [(2, 2, 1)]


def test_agreement_comes_as_it_was_measured(fill, read):
    fill("agreement", {"scope": "class", "subject": "wanted", "value": 0.7, "low": 0.4, "high": 0.9, "n_items": 12})
    columns = ("scope", "subject", "n_items", "value", "low", "high")
    assert read("reviewer_agreement", *columns) == [("class", "wanted", 12, 0.7, 0.4, 0.9)]


def test_a_person_with_too_few_items_is_told_apart_from_one_without_a_figure(fill, read):
    for person, n_items, value in (("kim", 9, None), ("lee", 12, None), ("jo", 12, 0.5)):
        fill("agreement", {"scope": "reviewer", "subject": person, "n_items": n_items, "value": value})
    found = dict(read("reviewer_agreement", "subject", "is_too_few"))
    assert found == {"kim": True, "lee": False, "jo": False}


def test_refused_lines_come_with_their_file_and_reason(fill, read):
    reasons = [{"reason": "its batch is finished", "n_lines": 7, "first_line": 3}]
    fill("label_file", {"object_key": "labels/p/a.jsonl", "reasons": reasons, "n_rejected": 7, "n_stored": 1})
    fill("label_file", {"object_key": "labels/p/b.jsonl", "reasons": [], "n_rejected": 0, "n_stored": 9})
    columns = ("object_key", "reason", "n_lines", "first_line", "n_stored", "n_rejected")
    assert read("label_file_refusal", *columns) == [("labels/p/a.jsonl", "its batch is finished", 7, 3, 1, 7)]


def test_flagged_answers_come_with_what_a_lead_decided(fill, read):
    fill("label_flag", {"labelled_by": "script", "status": "withdrawn", "decided_by": "boss"})
    assert read("label_flag", "labelled_by", "status", "decided_by") == [("script", "withdrawn", "boss")]


def test_efficiency_counts_each_item_once_beside_the_share_that_chance_chose(fill, read):
    for number in (1, 2):
        fill("review_batch", {"batch_id": f"round-00{number}", "round_number": number, "status": "answered"})
    answers = [
        ("round-001", "a", "kim", "random"),
        ("round-001", "a", "lee", "random"),
        ("round-001", "b", "kim", "entropy"),
        ("round-002", "a", "kim", "relabel"),
        ("round-002", "c", "kim", "entropy"),
        ("round-002", "d", "kim", "entropy"),
        ("round-002", "g", "kim", "gold"),
    ]
    for batch, item, person, arm in answers:
        fill("label", {"item_id": item, "labelled_by": person, "arm": arm}, batch_id=batch)
    assert read("review_efficiency", "n_labels_all", "n_items_all", "control_ratio") == [(3, 2, 0.5), (7, 4, 0.25)]
