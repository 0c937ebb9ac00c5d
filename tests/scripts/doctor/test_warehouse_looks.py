"""What the doctor finds in the warehouse, with each fault put into its tables."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from scripts.doctor import warehouse_looks
from scripts.doctor.finding import Finding

Look = Callable[[psycopg.Connection], Iterator[Finding]]
LOOKS: list[Look] = [value for name, value in vars(warehouse_looks).items() if name.startswith("look_at_")]


def now() -> datetime:
    """Give the time of the asking: a suite may reach these tests an hour after it read this file."""
    return datetime.now(UTC)


@pytest.fixture
def warehouse(migrated_warehouse_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def add(warehouse: psycopg.Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    warehouse.execute(f"INSERT INTO core.{table} ({names}) VALUES ({marks})", list(values.values()))


def add_coverage(warehouse: psycopg.Connection, key: str, status: str, *, minutes: float, stage: str = "ingest",
                 n_failures: int = 0) -> None:  # fmt: skip
    at = now() - timedelta(minutes=minutes)
    add(warehouse, "coverage", problem="a", stage=stage, partition_key=key, status=status, updated_at_utc=at,
        n_failures=n_failures, detail="a reason" if status == "failed" else None)  # fmt: skip


def add_step(warehouse: psycopg.Connection, run: str, status: str, *, minutes: float, error: str = "") -> None:
    outcome = psycopg.types.json.Jsonb({"error": error} if error else {})
    add(warehouse, "run_step", problem="a", stage="ingest", step="publish_partition", partition_key="2013-01",
        run_id=run, started_at_utc=now() - timedelta(minutes=minutes), duration_s=1.0, status=status,
        outcome=outcome)  # fmt: skip


def look(look: Look, warehouse: psycopg.Connection) -> list[Finding]:
    return list(look(warehouse))


@pytest.mark.parametrize("question", LOOKS)
def test_a_warehouse_without_a_fault_has_no_finding(warehouse: psycopg.Connection, question: Look):
    add_coverage(warehouse, "2013-01", "done", minutes=999)
    add_coverage(warehouse, "2013-02", "refused", minutes=999)
    add_coverage(warehouse, "2013-03", "running", minutes=5)
    add_coverage(warehouse, "2013-01", "waiting", minutes=999, stage="review")  # its people have time to answer
    add_step(warehouse, "one", "done", minutes=9)
    assert look(question, warehouse) == []


def test_the_oldest_partition_that_waits_is_named_for_each_stage(warehouse: psycopg.Connection):
    add_coverage(warehouse, "2013-02", "waiting", minutes=90)
    add_coverage(warehouse, "2013-01", "waiting", minutes=80)
    add_coverage(warehouse, "2013-09", "waiting", minutes=5)
    add_coverage(warehouse, "2013-01", "waiting", minutes=70, stage="monitor")
    ingest, monitor = look(warehouse_looks.look_at_partitions, warehouse)
    assert (ingest.what, ingest.n) == ("Partitions of ingest wait for over an hour", 2)
    assert ingest.worst.startswith("a 2013-02, since")
    assert (monitor.n, "a__monitor" in monitor.do or "PROBLEM__monitor" in monitor.do) == (1, True)


def test_a_partition_that_is_being_worked_on_for_hours_is_stuck(warehouse: psycopg.Connection):
    add_coverage(warehouse, "2013-01", "running", minutes=61)
    (finding,) = look(warehouse_looks.look_at_partitions, warehouse)
    assert "are being worked on" in finding.what


def test_a_stage_without_a_last_step_is_never_called_stuck(warehouse: psycopg.Connection):
    add_coverage(warehouse, "2013-01", "running", minutes=999, stage="train")
    assert look(warehouse_looks.look_at_partitions, warehouse) == []


def test_failed_partitions_are_counted_and_the_worst_is_named(warehouse: psycopg.Connection):
    add_coverage(warehouse, "2013-01", "failed", minutes=5, n_failures=2)
    add_coverage(warehouse, "2013-02", "failed", minutes=5, n_failures=9)
    (finding,) = look(warehouse_looks.look_at_failures, warehouse)
    assert finding.what == "Partitions failed; 1 of them failed 9 times and are passed over"
    assert (finding.n, finding.worst) == (2, "a 2013-02 in ingest, 9 times: a reason")


def test_a_commit_that_failed_is_named_until_it_goes_through(warehouse: psycopg.Connection):
    add_step(warehouse, "before", "done", minutes=50)
    add_step(warehouse, "one", "failed", minutes=40, error="LakeConflict: somebody published it meanwhile")
    (finding,) = look(warehouse_looks.look_at_failures, warehouse)
    assert "1 of them at a commit to the lake" in finding.what
    assert finding.worst.startswith("a publish_partition 2013-01: LakeConflict")
    add_step(warehouse, "two", "done", minutes=30)
    assert look(warehouse_looks.look_at_failures, warehouse) == []


@pytest.mark.parametrize("error", ["PartitionRefused: a reason", "NothingThere: no", "UnknownBatch: round-009"])
def test_a_step_that_ended_with_a_final_verdict_is_no_trouble(warehouse: psycopg.Connection, error: str):
    add_step(warehouse, "one", "failed", minutes=40, error=error)
    assert look(warehouse_looks.look_at_failures, warehouse) == []


def test_a_failed_step_of_a_refused_partition_is_no_trouble(warehouse: psycopg.Connection):
    add_step(warehouse, "one", "failed", minutes=40, error="LakeConflict: somebody published it meanwhile")
    add_coverage(warehouse, "2013-01", "refused", minutes=30)
    assert look(warehouse_looks.look_at_failures, warehouse) == []


def test_what_was_announced_in_vain_is_named_until_its_stage_begins(warehouse: psycopg.Connection):
    add(warehouse, "lost_event", problem="a", stage="ingest", partition_key="2013-01", n_announced=4, run_id="r",
        announced_at_utc=now())  # fmt: skip
    (finding,) = look(warehouse_looks.look_at_unheard_events, warehouse)
    assert finding.worst == "a 2013-01 at ingest, 4 times"
    add_step(warehouse, "one", "failed", minutes=1, error="E")
    assert look(warehouse_looks.look_at_unheard_events, warehouse) == []


def test_an_overdue_batch_is_named_and_an_answered_one_is_not(warehouse: psycopg.Connection):
    for batch, status in (("round-001", "answered"), ("round-002", "open")):
        add(warehouse, "review_batch", problem="a", batch_id=batch, round_number=1, n_items=1, n_pool=1,
            chosen_at_utc=now(), due_at_utc=now() - timedelta(days=1), status=status, opened_by="x")  # fmt: skip
    (finding,) = look(warehouse_looks.look_at_batches, warehouse)
    assert (finding.n, finding.worst.startswith("a round-002, due")) == (1, True)


def add_message(warehouse: psycopg.Connection, cause: str, status: str, n_attempts: int, *, days: float = 0) -> None:
    """Let a message about a cause stand, with what happened so many days ago."""
    about = {"problem": "a", "alert_id": cause, "event_number": 1}
    figures = {"metric": "m", "subject": "s", "value": 1.0, "bound": 0.5}
    add(warehouse, "alert_event", **about, **figures, event="opened", partition_key="k", is_by_person=False,
        actor="monitor", reason="r", happened_at_utc=now() - timedelta(days=days))  # fmt: skip
    add(warehouse, "alert_message", **about, recipient="owner", channel="mail", status=status, n_attempts=n_attempts,
        next_attempt_at_utc=now(), last_error="no server")  # fmt: skip


def test_messages_that_no_server_took_are_named_and_those_of_last_month_are_not(warehouse: psycopg.Connection):
    for cause, status in (("told", "told"), ("silent", "silent"), ("untried", "waiting")):
        add_message(warehouse, cause, status, n_attempts=int(status == "told"))
    add_message(warehouse, "old", "given_up", 8, days=30)
    assert look(warehouse_looks.look_at_messages, warehouse) == []
    add_message(warehouse, "drift", "waiting", 3)
    add_message(warehouse, "late", "given_up", 8)
    (finding,) = look(warehouse_looks.look_at_messages, warehouse)
    assert (finding.n, finding.worst) == (2, "a late to owner by mail, attempt 8: no server")
    assert "1 of them are given up" in finding.what
    add_message(warehouse, "paused", "given_up", 0)  # nobody sent it while that was of use
    (finding,) = look(warehouse_looks.look_at_messages, warehouse)
    assert "2 of them are given up" in finding.what


def test_an_older_warehouse_is_named_with_both_revisions(warehouse: psycopg.Connection):
    warehouse.execute("UPDATE core.alembic_version SET version_num = '0001'")
    (finding,) = look(warehouse_looks.look_at_revision, warehouse)
    assert finding.worst.startswith("it is at 0001, the code at 0")


def test_a_session_that_waits_for_a_lock_is_named_with_its_holder(
    warehouse: psycopg.Connection, migrated_warehouse_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse_looks, "LOCKED_MINUTES", 0)
    url = migrated_warehouse_url.replace("+psycopg", "")
    with psycopg.connect(url) as holder, psycopg.connect(url) as waiter:
        holder.execute("SELECT pg_advisory_xact_lock(7)")
        waiter.pgconn.send_query(b"SELECT pg_advisory_xact_lock(7)")
        found: list[Finding] = []
        while not found:  # until the server has read the query
            found = look(warehouse_looks.look_at_server, warehouse)
        assert f"process {waiter.info.backend_pid} since" in found[0].worst
        assert found[0].worst.endswith(f"held by {holder.info.backend_pid}")
        waiter.close()


def test_a_server_with_hardly_a_connection_left_is_named(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse_looks, "MOST_CONNECTIONS_RATIO", 0.0)
    (finding,) = look(warehouse_looks.look_at_server, warehouse)
    assert (finding.look, "are taken" in finding.worst) == ("connections", True)
