"""Every query of the front page answers about many problems at once, and keeps each to its own."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse import front_queries
from include.warehouse.tables.classes import CLASS_CALIBRATION
from include.warehouse.tables.experiments import EXPERIMENT_QUESTION
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.monitoring import (
    ALERT,
    ALERT_EVENT,
    CALIBRATION_BIN,
    CALIBRATION_SUMMARY,
    PERFORMANCE_ESTIMATE,
)
from include.warehouse.tables.review import LABEL_FLAG, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.tables.runs import COVERAGE
from tests.include.warehouse.edge_rows import LONG, NUMBERS, PROBLEM

QUERIES = [
    function
    for name, function in inspect.getmembers(front_queries, inspect.isfunction)
    if function.__module__ == front_queries.__name__ and not name.startswith("_")
]
SPARSE = {"approvals", "ties", "profits"}  # no edge row waits for anybody or speaks of money: rows below do
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.__name__)
def test_every_query_answers_whatever_the_rows_are_and_for_nobody(connection: Connection, query: Any) -> None:
    found = query(connection, [PROBLEM, "nobody"])
    assert {row["problem"] for row in found} <= {PROBLEM}
    assert bool(found) or query.__name__ in SPARSE
    assert query(connection, ["nobody"]) == query(connection, []) == []


def test_the_newest_partition_is_named_with_what_became_of_it(connection: Connection) -> None:
    row = {"stage": "ingest", "detail": "no file", "n_failures": 1, "updated_at_utc": NOW}
    for problem in ("p", "q"):
        for key, status in (("2026-01", "waiting"), ("2026-02", "failed")):
            connection.execute(
                insert(COVERAGE).values(row | {"problem": problem, "partition_key": key, "status": status})
            )
    found = front_queries.arrivals(connection, ["p"])
    assert [(one["problem"], one["newest_key"], one["newest_verdict"], one["published_key"]) for one in found] == [
        ("p", "2026-02", "failed", None)
    ]


def test_what_has_waited_longest_is_named_with_all_that_wait_in_other_logs_too(connection: Connection) -> None:
    row = {"status": "failed", "detail": "no file", "n_failures": 1, "partition_key": "2026-02"}
    for problem, stage, hours in (("p", "ingest", 5), ("p.returns", "ingest", 1), ("pp", "ingest", 0)):
        when = NOW + timedelta(hours=hours)
        connection.execute(insert(COVERAGE).values(row | {"problem": problem, "stage": stage, "updated_at_utc": when}))
    waits = row | {"problem": "p", "stage": "review", "status": "waiting", "updated_at_utc": NOW - timedelta(days=9)}
    connection.execute(insert(COVERAGE).values(waits))
    found = front_queries.waiting(connection, ["p", "pp"])
    assert [(one["problem"], one["dag_id"], one["n_waiting"], one["n_failed"]) for one in found] == [
        ("p", "p.returns__ingest", 2, 2),
        ("pp", "pp__ingest", 1, 1),
    ]


def test_the_newest_month_with_enough_labels_speaks_and_chance_is_the_measure(
    connection: Connection, make_row: Any
) -> None:
    for key, n, error in (("2026-01-01", 300, 0.2), ("2026-01-02", 300, 0.01), ("2026-02-01", 40, 0.5)):
        about = {"problem": "p", "partition_key": key, "model_version": "v1"}
        figures = {"n_rows": n, "n_labelled": n, "n_positive": n // 2, "ece_ratio": error, "ece_chance_ratio": 0.1}
        connection.execute(insert(CALIBRATION_SUMMARY).values(make_row(CALIBRATION_SUMMARY, **about, **figures)))
        connection.execute(insert(CALIBRATION_BIN).values(make_row(CALIBRATION_BIN, **about, n_rows=n)))
    (found,) = front_queries.honesty(connection, ["p"])
    assert (found["month"], found["n_labelled"], found["n_compared"], found["n_beyond"]) == ("2026-01", 600, 2, 1)


def test_escalated_alerts_come_before_worse_ones_that_are_only_open(connection: Connection) -> None:
    figures = {"metric": "psi_ratio", "subject": "speed", "bound": 0.25}
    alert = figures | {"partition_key": "2026-02", "action": "warn", "message": "m", "opened_at_utc": NOW}
    event = figures | {"partition_key": "2026-02", "is_by_person": False, "actor": "monitor", "reason": "r"}
    for problem, cause, value in (("p", "late", 9.0), ("p", "drift", 0.3), ("q", "drift", 1.0)):
        key = {"problem": problem, "alert_id": cause, "value": value}
        connection.execute(insert(ALERT).values(alert | key))
        for number, name in enumerate(("opened", "escalated") if (problem, cause) == ("p", "drift") else ("opened",)):
            happened = {"event_number": number + 1, "event": name, "happened_at_utc": NOW, "until_utc": None}
            connection.execute(insert(ALERT_EVENT).values(event | key | happened))
    found = [(row["problem"], row["alert_id"]) for row in front_queries.alerts(connection, ["q", "p"])]
    assert found == [("p", "drift"), ("p", "late"), ("q", "drift")]


def test_intervals_that_hold_far_too_seldom_come_before_a_small_drift(connection: Connection) -> None:
    alert = {"problem": "p", "partition_key": "2026-02", "subject": "s", "action": "warn", "message": "m"}
    figures = (("drift", "psi_ratio", 0.3, 0.25), ("coverage", "coverage_ratio", 0.1, 0.9))
    for cause, metric, value, bound in figures:
        measured = {"alert_id": cause, "metric": metric, "value": value, "bound": bound, "opened_at_utc": NOW}
        connection.execute(insert(ALERT).values(alert | measured))
    assert [row["alert_id"] for row in front_queries.alerts(connection, ["p"])] == ["coverage", "drift"]


def test_classes_not_held_against_chance_are_not_counted_as_compared(connection: Connection, make_row: Any) -> None:
    for name, chance, said in (("a", 0.1, 0.2), ("b", 0.5, 0.9), ("c", None, 0.3)):
        about = {"problem": "p", "partition_key": "2026-01", "model_version": "v1", "class_name": name}
        shares = {"mean_predicted_ratio": said, "positive_ratio": 0.3, "ece_ratio": 0.2, "ece_chance_ratio": chance}
        shares |= {"n_rows": 70, "n_labelled": 70}
        connection.execute(insert(CLASS_CALIBRATION).values(make_row(CLASS_CALIBRATION, **about, **shares)))
    (found,) = front_queries.class_honesty(connection, ["p"])
    assert (found["class_name"], found["n_classes"], found["n_compared"], found["n_beyond"]) == ("b", 3, 2, 1)


def test_money_expected_and_earned_may_be_of_different_partitions(connection: Connection) -> None:
    row = {"metric": "profit", "n_rows": 9, "label_arm": "log", "standard_error": 0.1, "labelled_standard_error": 0.1}
    for key, version, expected, actual in (
        ("2026-01", "v1", 1.0, 2.0),
        ("2026-02", "v1", 3.0, None),
        ("2026-02", "v2", 4.0, None),
    ):
        key_values = {"problem": "p", "partition_key": key, "model_version": version}
        told = {"estimate": expected, "labelled_estimate": expected, "actual": actual, "n_labelled": 5}
        connection.execute(insert(PERFORMANCE_ESTIMATE).values(row | key_values | told))
    (found,) = front_queries.profits(connection, ["p", "nobody"])
    assert (found["expected_key"], found["estimate"]) == ("2026-02", 4.0)
    assert (found["realised_key"], found["actual"], found["n_labelled"]) == ("2026-01", 2.0, 5)


@pytest.mark.parametrize("value", NUMBERS)
def test_money_of_any_usual_size_is_read(connection: Connection, value: float) -> None:
    row = {"metric": "profit", "n_rows": 0, "label_arm": "log", "problem": "p", "model_version": LONG, "n_labelled": 0}
    figures = dict.fromkeys(("estimate", "standard_error", "labelled_estimate", "labelled_standard_error"), value)
    for key in ("2026-01", LONG):
        connection.execute(insert(PERFORMANCE_ESTIMATE).values(row | figures | {"partition_key": key, "actual": 0.0}))
    (found,) = front_queries.profits(connection, ["p"])
    assert (found["estimate"], found["actual"]) == (value, 0.0)


def test_finished_batches_wait_for_nobody(connection: Connection, make_row: Any) -> None:
    for number, status in ((1, "answered"), (2, "open")):
        key = {"problem": "p", "batch_id": f"round-00{number}"}
        batch = make_row(REVIEW_BATCH, **key, status=status, due_at_utc=NOW + timedelta(days=number))
        connection.execute(insert(REVIEW_BATCH).values(batch | {"round_number": number, "n_items": 1}))
        connection.execute(insert(REVIEW_ITEM).values(make_row(REVIEW_ITEM, **key, n_answers_wanted=1)))
    (found,) = front_queries.open_batches(connection, ["p"])
    assert (found["n_batches"], found["due_at_utc"]) == (1, NOW + timedelta(days=2))


def test_what_waits_for_a_decision_is_listed_and_what_is_decided_is_not(connection: Connection, make_row: Any) -> None:
    for version, status in (("v1", "promoted"), ("v2", "awaiting_approval")):
        row = make_row(MODEL_VERSION, problem="p", model_version=version, status=status)
        connection.execute(insert(MODEL_VERSION).values(row))
    for person, status in (("ada", "waiting"), ("bob", "accepted"), ("eve", "waiting")):
        row = make_row(LABEL_FLAG, problem="p", labelled_by=person, status=status, n_labels=20)
        connection.execute(insert(LABEL_FLAG).values(row))
    found = front_queries.approvals(connection, ["p", "q"])
    assert [(row["kind"], row["name"], row["n_labels"]) for row in found] == [
        ("version", "v2", None),
        ("answers", "", 40),
    ]


@pytest.mark.parametrize(("hours", "answer", "is_asked"), [(1, None, True), (-1, None, False), (1, True, False)])
def test_a_tie_is_asked_about_until_it_is_answered_or_its_time_is_over(
    connection: Connection, make_row: Any, hours: int, answer: bool | None, is_asked: bool
) -> None:
    until = datetime.now(UTC) + timedelta(hours=hours)
    row = make_row(EXPERIMENT_QUESTION, problem="p", experiment="mail", answer_by_utc=until, is_approved=answer)
    connection.execute(insert(EXPERIMENT_QUESTION).values(row))
    found = [(row["experiment"], row["until_utc"]) for row in front_queries.ties(connection, ["p"])]
    assert found == ([("mail", until)] if is_asked else [])
