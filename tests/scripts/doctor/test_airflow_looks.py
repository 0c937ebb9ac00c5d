"""What the doctor finds in Airflow's own database, with each fault put into real tables."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from scripts.doctor import airflow_looks
from scripts.doctor.finding import Finding
from tests.airflow_database import add_row, metadata_template, metadata_url

__all__ = ["metadata_template", "metadata_url"]
Look = Callable[[psycopg.Connection], Iterator[Finding]]
LOOKS: list[Look] = [value for name, value in vars(airflow_looks).items() if name.startswith("look_at_")]


@pytest.fixture
def database(metadata_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(metadata_url.replace("+psycopg", ""), autocommit=True) as connection:
        add_row(connection, "dag_bundle", name="any")
        yield connection


def add_dag(database: psycopg.Connection, dag_id: str, *, is_paused: bool = False) -> None:
    add_row(database, "dag", dag_id=dag_id, is_paused=is_paused, is_stale=False, bundle_name="any")


def add_run(database: psycopg.Connection, dag_id: str, key: str, state: str, number: int = 1) -> None:
    add_row(
        database, "dag_run", id=number, dag_id=dag_id, run_id=f"run-{number}", partition_key=key, state=state,
        backfill_id=None, log_template_id=None,
    )  # fmt: skip


def add_event(database: psycopg.Connection, key: str, number: int = 1) -> None:
    add_row(database, "asset_event", id=number, asset_id=1, partition_key=key)


def add_pending(database: psycopg.Connection, key: str, *, minutes: int) -> None:
    add_row(database, "asset_partition_dag_run", target_dag_id="a__review", partition_key=key)
    database.execute(
        "UPDATE asset_partition_dag_run SET created_at = now() - make_interval(mins => %s) WHERE partition_key = %s",
        [minutes, key],
    )


def add_consumer(database: psycopg.Connection, *, is_paused: bool) -> None:
    add_dag(database, "a__ingest", is_paused=is_paused)
    add_row(database, "asset", id=1, name="landing/a", uri="landing/a")
    add_row(database, "dag_schedule_asset_reference", asset_id=1, dag_id="a__ingest")


def look(look: Look, database: psycopg.Connection) -> list[Finding]:
    return list(look(database))


@pytest.mark.parametrize("question", LOOKS)
def test_an_airflow_without_a_fault_has_no_finding(database: psycopg.Connection, question: Look):
    add_consumer(database, is_paused=False)
    add_event(database, "2013-01")
    add_run(database, "a__ingest", "2013-01", "success")
    assert look(question, database) == []


def test_events_that_a_paused_consumer_missed_are_counted(database: psycopg.Connection):
    add_consumer(database, is_paused=True)
    add_run(database, "a__ingest", "2013-01", "success")
    for number, key in enumerate(["2013-01", "2013-02", "2013-02", "2013-03"], 1):
        add_event(database, key, number)
    (finding,) = look(airflow_looks.look_at_paused_consumers, database)
    assert finding.worst.startswith("a__ingest missed 2 partitions")
    assert "airflow dags unpause a__ingest" in finding.do
    database.execute("UPDATE dag SET is_paused = false")
    assert look(airflow_looks.look_at_paused_consumers, database) == []


def test_a_paused_dag_that_holds_queued_runs_is_named(database: psycopg.Connection):
    add_consumer(database, is_paused=True)
    add_run(database, "a__ingest", "2013-01", "queued")
    (finding,) = look(airflow_looks.look_at_paused_consumers, database)
    assert (finding.n, finding.worst) == (1, "a__ingest: 1 runs, from 2013-01 on")


def test_only_a_pending_partition_that_is_late_is_named(database: psycopg.Connection):
    add_dag(database, "a__review")
    add_pending(database, "fresh", minutes=1)
    assert look(airflow_looks.look_at_pending_partitions, database) == []
    add_pending(database, "late", minutes=20)
    (finding,) = look(airflow_looks.look_at_pending_partitions, database)
    assert (finding.n, finding.worst.startswith("a__review late, since")) == (1, True)
    assert "airflow dags trigger a__review --partition-key late" in finding.do
    assert "blocks" not in finding.what


def test_unsatisfiable_partitions_are_said_to_block_newer_ones(
    database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(airflow_looks, "LOOKED_AT_AT_ONCE", 2)
    add_dag(database, "a__review")
    for minutes, key in ((90, "a"), (80, "b"), (2, "c")):
        add_pending(database, key, minutes=minutes)
    (finding,) = look(airflow_looks.look_at_pending_partitions, database)
    assert "blocks 1 newer ones" in finding.what


def test_a_failed_run_counts_until_a_later_one_goes_through(database: psycopg.Connection):
    add_dag(database, "a__ingest")
    add_run(database, "a__ingest", "2013-01", "failed", 1)
    (finding,) = look(airflow_looks.look_at_runs, database)
    assert (finding.n, finding.worst) == (1, "a__ingest 2013-01")
    add_run(database, "a__ingest", "2013-02", "success", 2)
    assert len(look(airflow_looks.look_at_runs, database)) == 1
    add_run(database, "a__ingest", "2013-01", "success", 3)
    assert look(airflow_looks.look_at_runs, database) == []


def test_a_failed_train_run_is_forgotten_once_any_later_one_succeeded(database: psycopg.Connection):
    add_dag(database, "a__train")
    add_run(database, "a__train", "2013-01", "failed", 1)
    add_run(database, "a__train", "2013-02", "failed", 2)
    assert look(airflow_looks.look_at_runs, database)[0].n == 2
    add_run(database, "a__train", "2013-03", "success", 3)
    assert look(airflow_looks.look_at_runs, database) == []
    add_run(database, "a__train", "2013-04", "failed", 4)
    assert look(airflow_looks.look_at_runs, database)[0].worst == "a__train 2013-04"


def test_a_file_that_does_not_load_is_named_with_its_last_line(database: psycopg.Connection):
    add_row(database, "import_error", id=1, filename="train.py", stacktrace="Traceback\n  x\nKeyError: 'label'\n")
    (finding,) = look(airflow_looks.look_at_files, database)
    assert finding.worst == "train.py: KeyError: 'label'"


def add_task(database: psycopg.Connection, state: str) -> str:
    add_dag(database, "a__train")
    add_run(database, "a__train", "2013-01", "running")
    number = "00000000-0000-0000-0000-000000000001"
    add_row(database, "task_instance", id=number, dag_id="a__train", run_id="run-1", task_id="approve", state=state,
            map_index=-1, dag_version_id=None)  # fmt: skip
    return number


def test_a_task_that_no_worker_takes_is_named(database: psycopg.Connection):
    add_task(database, "queued")
    assert look(airflow_looks.look_at_runs, database) == []
    database.execute("UPDATE task_instance SET queued_dttm = now() - interval '2 hours'")
    (finding,) = look(airflow_looks.look_at_runs, database)
    assert finding.worst.startswith("a__train.approve, since")


def test_a_question_that_waits_for_a_day_is_named_until_it_is_answered(database: psycopg.Connection):
    number = add_task(database, "awaiting_input")
    options: dict[str, Any] = {"options": psycopg.types.json.Json(["Approve"])}
    add_row(database, "hitl_detail", ti_id=number, **options)
    database.execute("UPDATE hitl_detail SET created_at = now() - interval '25 hours'")
    (finding,) = look(airflow_looks.look_at_questions, database)
    assert finding.worst.startswith("a__train 2013-01, asked")
    database.execute("UPDATE hitl_detail SET responded_at = now()")
    assert look(airflow_looks.look_at_questions, database) == []
