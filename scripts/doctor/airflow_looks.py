"""Looks into Airflow's metadata database: files that do not load, paused consumers, runs and questions that wait.

What belongs here: one query a look, never a write. What does not: what our own tables say (`warehouse_looks.py`).
The traps behind these looks have a test each in `tests/deployment/test_airflow_traps.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from scripts.doctor.finding import Finding, more

# The scheduler makes runs of pending partitions several times a minute.
PENDING_MINUTES = 15
QUEUED_MINUTES = 60
# The scheduler looks at so many pending partitions at once, oldest first, whatever it makes of them:
# MAX_PARTITION_DAG_RUNS_PER_LOOP in airflow/jobs/scheduler_job_runner.py.
LOOKED_AT_AT_ONCE = 500
WAITING_HOURS = 24

_IMPORTS = "SELECT filename, stacktrace FROM import_error ORDER BY timestamp DESC"
# Events of the assets of a paused DAG for which it has neither a run nor a pending one: it will never hear of them.
_PAUSED = """
SELECT d.dag_id, count(DISTINCT e.partition_key), max(e.timestamp)
FROM dag d
JOIN dag_schedule_asset_reference s ON s.dag_id = d.dag_id
JOIN asset_event e ON e.asset_id = s.asset_id AND e.partition_key IS NOT NULL
WHERE d.is_paused AND NOT d.is_stale
  AND NOT EXISTS (SELECT 1 FROM dag_run r WHERE r.dag_id = d.dag_id AND r.partition_key = e.partition_key)
  AND NOT EXISTS (SELECT 1 FROM asset_partition_dag_run p
                  WHERE p.target_dag_id = d.dag_id AND p.partition_key = e.partition_key)
GROUP BY d.dag_id ORDER BY 2 DESC, 1
"""
_PENDING = """
SELECT p.target_dag_id || ' ' || p.partition_key, p.created_at,
       p.created_at < now() - make_interval(mins => %s) AS is_late
FROM asset_partition_dag_run p JOIN dag d ON d.dag_id = p.target_dag_id AND NOT d.is_stale
WHERE p.created_dag_run_id IS NULL ORDER BY p.created_at, p.id
"""
_HELD = """
SELECT r.dag_id, count(*), min(r.partition_key) FROM dag_run r JOIN dag d ON d.dag_id = r.dag_id
WHERE d.is_paused AND r.state = 'queued' GROUP BY r.dag_id ORDER BY 2 DESC, 1
"""
# A later training knows the rows of the earlier, so that one that went through makes all before it good.
_FAILED = """
SELECT r.dag_id || ' ' || coalesce(r.partition_key, r.run_id), max(r.end_date)
FROM dag_run r
WHERE r.state = 'failed' AND NOT EXISTS (
    SELECT 1 FROM dag_run l WHERE l.dag_id = r.dag_id AND l.id > r.id
      AND (l.partition_key IS NOT DISTINCT FROM r.partition_key AND l.state IN ('success', 'running', 'queued')
           OR l.dag_id LIKE '%\\_\\_train' AND l.state = 'success'))
GROUP BY 1 ORDER BY 2 DESC NULLS LAST
"""
_QUEUED = """
SELECT dag_id || '.' || task_id, queued_dttm FROM task_instance
WHERE state = 'queued' AND queued_dttm < now() - make_interval(mins => %s) ORDER BY queued_dttm
"""
_QUESTIONS = """
SELECT t.dag_id || ' ' || coalesce(r.partition_key, t.run_id), h.created_at,
       h.created_at < now() - make_interval(hours => %s)
FROM hitl_detail h JOIN task_instance t ON t.id = h.ti_id
LEFT JOIN dag_run r ON r.dag_id = t.dag_id AND r.run_id = t.run_id
WHERE h.responded_at IS NULL AND t.state IN ('awaiting_input', 'deferred', 'running') ORDER BY h.created_at
"""


def look_at_files(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find DAG files that Airflow cannot read."""
    rows = connection.execute(_IMPORTS).fetchall()
    if rows:
        name, trace = rows[0]
        last = (trace or "").strip().splitlines()[-1:] or ["no reason given"]
        yield Finding(
            "dag files",
            "DAG files do not load",
            len(rows),
            f"{name}: {last[0]}",
            "mend it; make check-problem NAME=name",
        )


def look_at_paused_consumers(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find paused DAGs that missed events: Airflow drops what happens while a consumer is paused."""
    rows = connection.execute(_PAUSED).fetchall()
    if rows:
        dag, n_keys, last = rows[0]
        yield Finding(
            "paused DAGs",
            "Paused DAGs miss events: Airflow drops what happens while its consumer is paused",
            len(rows),
            f"{dag} missed {n_keys} partitions, the last at {last:%Y-%m-%d %H:%M} UTC",
            f"airflow dags unpause {dag}; land announces again what was missed, within a day",
        )
    held = connection.execute(_HELD).fetchall()
    if held:
        yield Finding(
            "paused DAGs",
            "Paused DAGs hold runs that were made before, or in spite of, the pause",
            sum(row[1] for row in held),
            f"{held[0][0]}: {held[0][1]} runs, from {held[0][2] or 'no partition'} on",
            f"airflow dags unpause {held[0][0]}, or mark the runs failed",
        )


def look_at_pending_partitions(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find partitions whose run is not made: the oldest are looked at first, so that they block newer ones."""
    rows = connection.execute(_PENDING, [PENDING_MINUTES]).fetchall()
    late = [row for row in rows if row[2]]
    if late:
        blocked = max(0, len(rows) - LOOKED_AT_AT_ONCE)
        note = f" and blocks {blocked:,} newer ones" if blocked and len(late) >= LOOKED_AT_AT_ONCE else ""
        name = late[0][0]
        yield Finding(
            "pending runs",
            f"Partitions have events and no run is made of them{note}",
            len(late),
            f"{name}, since {late[0][1]:%Y-%m-%d %H:%M} UTC",
            f"does the scheduler run? Else: airflow dags trigger {name.replace(' ', ' --partition-key ')}; then delete "
            "the row of asset_partition_dag_run, which the scheduler would look at for ever",
        )


def look_at_runs(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find runs that failed and were not made good, and tasks that wait for a slot."""
    failed = connection.execute(_FAILED).fetchall()
    if failed:
        yield Finding(
            "runs",
            "DAG runs failed and nothing came after them",
            len(failed),
            more([row[0] for row in failed]),
            "docs/debugging.md, A partition is red; mended: clear the run in Airflow; a final verdict "
            "(PartitionRefused, NothingThere): mark it success there",
        )
    queued = connection.execute(_QUEUED, [QUEUED_MINUTES]).fetchall()
    if queued:
        yield Finding(
            "runs",
            f"Tasks are queued for over {QUEUED_MINUTES} minutes",
            len(queued),
            f"{queued[0][0]}, since {queued[0][1]:%Y-%m-%d %H:%M} UTC",
            "does a worker run (make logs)? Raise MULGIL_PARALLELISM, or add workers",
        )


def look_at_questions(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find approvals that wait for a person for over a day; silence ends as a no."""
    rows = connection.execute(_QUESTIONS, [WAITING_HOURS]).fetchall()
    late = [row for row in rows if row[2]]
    if late:
        yield Finding(
            "questions",
            f"Approvals wait for over {WAITING_HOURS} hours; silence ends as a no",
            len(late),
            f"{late[0][0]}, asked {late[0][1]:%Y-%m-%d %H:%M} UTC",
            "Airflow, Required Actions: answer as lead or admin",
        )
