"""Every query of the time line answers whatever the rows are, in one shape, the newest first."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse import timeline_queries
from include.warehouse.tables.erasure import ERASED_SUBJECT
from include.warehouse.tables.experiments import EXPERIMENT_DECISION, EXPERIMENT_QUESTION
from include.warehouse.tables.landing import WITHDRAWAL
from include.warehouse.tables.learning import MODEL_EVENT
from include.warehouse.tables.review import REVIEW_BATCH
from tests.include.warehouse.edge_rows import PROBLEM

QUERIES = [
    function for name, function in inspect.getmembers(timeline_queries, inspect.isfunction) if name.endswith("_events")
]
COLUMNS = ["happened_at_utc", "event", "subject", "partition_key", "actor", "reason", "n_affected"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def days(number: int) -> datetime:
    return NOW + timedelta(days=number)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.__name__)
def test_every_query_answers_in_one_shape_and_no_longer_than_asked(connection: Connection, query: Any) -> None:
    found = query(connection, PROBLEM, 1_000)
    assert found
    assert {tuple(row) for row in found} == {tuple(COLUMNS)}
    moments = [row["happened_at_utc"] for row in found]
    assert moments == sorted(moments, reverse=True)
    assert query(connection, PROBLEM, 1) == found[:1]
    assert query(connection, "nobody", 1_000) == []


def test_a_version_that_serves_from_the_start_names_no_partition(connection: Connection, make_row: Any) -> None:
    for number, (event, since) in enumerate((("awaiting_approval", ""), ("promoted", "2026-02"))):
        row = make_row(MODEL_EVENT, problem="p", event=event, serves_from=since, event_at_utc=days(number))
        connection.execute(insert(MODEL_EVENT).values(row))
    found = timeline_queries.version_events(connection, "p", 9)
    assert [(row["event"], row["partition_key"]) for row in found] == [
        ("promoted", "2026-02"),
        ("awaiting_approval", None),
    ]


def test_a_batch_stands_where_it_came_and_where_it_was_finished(connection: Connection, make_row: Any) -> None:
    for batch, finished in (("round-001", days(5)), ("round-002", None)):
        row = make_row(REVIEW_BATCH, problem="p", batch_id=batch, chosen_at_utc=days(1), answered_at_utc=finished)
        connection.execute(insert(REVIEW_BATCH).values(row | {"n_items": 7}))
    found = timeline_queries.batch_events(connection, "p", 9)
    assert [(row["subject"], row["event"], row["n_affected"]) for row in found] == [
        ("round-001", "finished", 7),
        ("round-001", "opened", 7),
        ("round-002", "opened", 7),
    ]


def test_a_decision_that_is_only_repeated_is_no_event(connection: Connection, make_row: Any) -> None:
    said = [("wait", None, False), ("wait", None, False), ("send", "b", True), ("send", "b", True), ("send", "a", True)]
    for experiment in ("mail", "page"):
        for number, (outcome, variant, is_final) in enumerate(said if experiment == "mail" else said[:1]):
            key = {"problem": "p", "experiment": experiment, "partition_key": f"2026-03-0{number}"}
            told = {"outcome": outcome, "variant": variant, "is_final": is_final, "decided_at_utc": days(number)}
            connection.execute(insert(EXPERIMENT_DECISION).values(make_row(EXPERIMENT_DECISION, **key, **told)))
    found = timeline_queries.decision_events(connection, "p", 9)
    assert [(row["subject"], row["event"], row["partition_key"][-1]) for row in found] == [
        ("mail", "send", "4"),
        ("mail", "send", "2"),
        ("mail", "wait", "0"),
        ("page", "wait", "0"),
    ]


def test_a_tie_stands_where_it_was_asked_and_where_it_was_answered(connection: Connection, make_row: Any) -> None:
    for number, answer in enumerate((None, True, False)):
        answered = {"answered_at_utc": None if answer is None else days(8 + number), "is_approved": answer}
        row = make_row(EXPERIMENT_QUESTION, problem="p", run_id=f"r{number}", asked_at_utc=days(number), **answered)
        connection.execute(insert(EXPERIMENT_QUESTION).values(row))
    found = timeline_queries.question_events(connection, "p", 9)
    assert [row["event"] for row in found] == ["declined", "approved", "asked", "asked", "asked"]


def test_an_object_that_fed_several_partitions_is_one_event(connection: Connection, make_row: Any) -> None:
    for problem, key, n in (
        ("p", "2026-01", 3),
        ("p", "2026-02", 4),
        ("p.returns", "2026-01", 5),
        ("pp", "2026-01", 6),
    ):
        about = {"problem": problem, "partition_key": key, "n_rows": n, "object_key": problem}
        moments = {"withdrawn_at_utc": days(1), "restored_at_utc": days(2) if problem == "p.returns" else None}
        connection.execute(insert(WITHDRAWAL).values(make_row(WITHDRAWAL, **about, **moments)))
    found = timeline_queries.withdrawal_events(connection, "p", 9)
    assert [(row["subject"], row["event"], row["partition_key"], row["n_affected"]) for row in found] == [
        ("p.returns", "restored", "returns 2026-01", 5),
        ("p", "withdrawn", None, 7),
        ("p.returns", "withdrawn", "returns 2026-01", 5),
    ]


def test_why_somebody_was_erased_is_not_told(connection: Connection, make_row: Any) -> None:
    row = make_row(ERASED_SUBJECT, problem="p", reason="Ms Kim asked on the phone")
    connection.execute(insert(ERASED_SUBJECT).values(row))
    found = timeline_queries.erasure_events(connection, "p", 9)
    assert {row["reason"] for row in found} == {None}
    assert "Kim" not in str(found)


def test_partitions_with_data_docs_are_named(connection: Connection) -> None:
    assert timeline_queries.audited_keys(connection, PROBLEM) == {"2013-06", "2013-07"}
    assert timeline_queries.audited_keys(connection, "nobody") == frozenset()
