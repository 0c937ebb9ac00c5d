"""Looks into the warehouse: partitions that do not come further, steps that fail, batches nobody answers, locks.

What belongs here: one query a look, never a write. What does not: Airflow's own tables (`airflow_looks.py`), and the
lake's files (`lake_looks.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from alembic.script import ScriptDirectory

from include.errors import NothingThere, PartitionRefused
from include.names import CORE, Coverage, Stage
from include.settings import REPOSITORY
from include.warehouse.coverage import MOST_FAILURES, TRACKED
from scripts.doctor.finding import Finding

MIGRATIONS = REPOSITORY / "include" / "warehouse" / "migrations"
# Longer than any built-in step takes, and than `land` waits before it announces something again.
LATE_HOURS = 1
# `land` announces with growing waits: three times are most of an hour.
ANNOUNCED_IN_VAIN = 3
LOCKED_MINUTES = 10
# What nobody was told of before that is history; the page of alerts shows it on.
UNTOLD_DAYS = 7
# Airflow's components, pages and a BI tool still find a connection below this share.
MOST_CONNECTIONS_RATIO = 0.8
# Errors that are final: nobody can, or has to, make them go away.
_FINAL: list[type[BaseException]] = [PartitionRefused, NothingThere, *NothingThere.__subclasses__()]
VERDICTS = [error.__name__ for error in _FINAL]

_BY_STAGE = f"""
SELECT stage, count(*), (array_agg(problem || ' ' || partition_key ORDER BY updated_at_utc))[1], min(updated_at_utc)
FROM {CORE}.coverage
WHERE status = %(status)s AND stage = ANY(%(stages)s) AND updated_at_utc < now() - make_interval(hours => %(hours)s)
GROUP BY stage ORDER BY min(updated_at_utc)
"""
_FAILED = f"""
SELECT problem || ' ' || partition_key || ' in ' || stage, coalesce(detail, 'no reason given'), n_failures
FROM {CORE}.coverage WHERE status = %s ORDER BY n_failures DESC, updated_at_utc
"""
# A step that failed and went through later, in whatever run, is no trouble any more; nor is a final verdict, which no
# further run changes.
_STEPS = f"""
SELECT failed.problem || ' ' || failed.step || ' ' || failed.partition_key,
       coalesce(failed.outcome ->> 'error', failed.outcome::text)
FROM {CORE}.run_step AS failed
WHERE failed.status = 'failed'
  AND coalesce(split_part(failed.outcome ->> 'error', ':', 1) <> ALL(%(verdicts)s), true)
  AND NOT EXISTS (
    SELECT 1 FROM {CORE}.coverage AS kept_out
    WHERE (kept_out.problem, kept_out.stage, kept_out.partition_key)
        = (failed.problem, failed.stage, failed.partition_key) AND kept_out.status = %(refused)s)
  AND NOT EXISTS (
    SELECT 1 FROM {CORE}.run_step AS later
    WHERE (later.problem, later.stage, later.step, later.partition_key)
        = (failed.problem, failed.stage, failed.step, failed.partition_key)
      AND later.status = 'done' AND later.started_at_utc >= failed.started_at_utc)
ORDER BY failed.started_at_utc DESC
"""
_UNHEARD = f"""
SELECT lost.problem || ' ' || lost.partition_key || ' at ' || lost.stage, lost.n_announced
FROM {CORE}.lost_event AS lost
WHERE lost.n_announced >= %s AND NOT EXISTS (
    SELECT 1 FROM {CORE}.run_step AS begun
    WHERE begun.problem = lost.problem AND begun.stage = lost.stage AND begun.partition_key = lost.partition_key)
ORDER BY lost.n_announced DESC
"""
_BATCHES = f"""
SELECT problem || ' ' || batch_id, due_at_utc FROM {CORE}.review_batch
WHERE status = 'open' AND due_at_utc < now() ORDER BY due_at_utc
"""
_UNTOLD = f"""
SELECT problem || ' ' || alert_id || ' to ' || recipient || ' by ' || channel, status = 'given_up', n_attempts,
       coalesce(last_error, 'its process ended')
FROM {CORE}.alert_message AS message
WHERE (status = 'given_up' OR status = 'waiting' AND n_attempts > 0) AND EXISTS (
    SELECT 1 FROM {CORE}.alert_event AS happened
    WHERE (happened.problem, happened.alert_id, happened.event_number)
        = (message.problem, message.alert_id, message.event_number)
      AND happened.happened_at_utc > now() - make_interval(days => %s))
ORDER BY status = 'given_up' DESC, n_attempts DESC, 1
"""
_LOCKED = """
SELECT 'process ' || a.pid || ' since ' || to_char(a.query_start, 'HH24:MI') || ', held by '
       || array_to_string(pg_blocking_pids(a.pid), ', ')
FROM pg_stat_activity AS a JOIN pg_locks AS l ON l.pid = a.pid AND NOT l.granted
WHERE a.datname = current_database() AND a.query_start < now() - make_interval(mins => %s)
ORDER BY a.query_start
"""
_CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int
"""


def look_at_revision(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find a warehouse that is older, or newer, than this code."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    found = connection.execute("SELECT to_regclass('core.alembic_version')").fetchone()
    row = None
    if found and found[0]:
        row = connection.execute(f"SELECT version_num FROM {CORE}.alembic_version").fetchone()
    own = row[0] if row else "nothing"
    if own != newest:
        yield Finding(
            "revision",
            "The warehouse is not at this code's revision, so that pages and steps ask for what is not there",
            1,
            f"it is at {own}, the code at {newest}",
            "python -m include.warehouse.migrate upgrade (make run does it, too); where the code is older: update it",
        )


def look_at_partitions(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find partitions that a stage holds, or lets wait, for longer than an hour; the oldest of each stage."""
    kinds = (
        (Coverage.RUNNING, [str(stage) for stage in TRACKED], "are being worked on for over an hour",
         "Airflow, DAG PROBLEM__{stage}: clear the run of that partition; every step may run twice"),
        # An open batch waits until people have answered; one that is overdue is `look_at_batches`' to find.
        (Coverage.WAITING, [str(stage) for stage in Stage if stage != Stage.REVIEW], "wait for over an hour",
         "unpause PROBLEM__{stage} in Airflow; or: airflow dags trigger PROBLEM__{stage} --partition-key KEY"),
    )  # fmt: skip
    for status, stages, words, do in kinds:
        values = {"status": str(status), "stages": stages, "hours": LATE_HOURS}
        for stage, n, oldest, since in connection.execute(_BY_STAGE, values):
            worst = f"{oldest}, since {since:%Y-%m-%d %H:%M} UTC"
            yield Finding("partitions", f"Partitions of {stage} {words}", n, worst, do.format(stage=stage))


def look_at_failures(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find partitions that failed and steps that failed last, which includes commits that did not go through."""
    failed = connection.execute(_FAILED, [str(Coverage.FAILED)]).fetchall()
    if failed:
        name, reason, n_failures = failed[0]
        hopeless = sum(row[2] >= MOST_FAILURES for row in failed)
        note = f"; {hopeless} of them failed {MOST_FAILURES} times and are passed over" if hopeless else ""
        yield Finding(
            "failures",
            f"Partitions failed{note}",
            len(failed),
            f"{name}, {n_failures} times: {reason}",
            "docs/debugging.md, A partition is red: the error's name says who has to act",
        )
    steps = connection.execute(_STEPS, {"verdicts": VERDICTS, "refused": str(Coverage.REFUSED)}).fetchall()
    if steps:
        conflicts = sum("LakeConflict" in row[1] for row in steps)
        note = f"; {conflicts} of them at a commit to the lake" if conflicts else ""
        yield Finding(
            "failures",
            f"Steps failed and never went through since{note}",
            len(steps),
            f"{steps[0][0]}: {steps[0][1]}",
            "clear that run in Airflow, once what it says is mended",
        )


def look_at_unheard_events(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find partitions that were announced to a stage again and again, and that it never began with."""
    rows = connection.execute(_UNHEARD, [ANNOUNCED_IN_VAIN]).fetchall()
    if rows:
        yield Finding(
            "announcements",
            "Partitions were announced again and again, and their stage never began",
            len(rows),
            f"{rows[0][0]}, {rows[0][1]} times",
            "is that DAG paused, or broken (Airflow, Import Errors)? Unpause it: land announces again within a day",
        )


def look_at_batches(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find review batches that people should have answered by now."""
    rows = connection.execute(_BATCHES).fetchall()
    if rows:
        yield Finding(
            "batches",
            "Review batches are overdue; no further one is opened until people answer",
            len(rows),
            f"{rows[0][0]}, due {rows[0][1]:%Y-%m-%d %H:%M} UTC",
            "Airflow, page Review desk; who holds what: SELECT * FROM bi.review_queue_health",
        )


def look_at_messages(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find messages about alerts that no server took: people rely on hearing of what they do not hear of."""
    rows = connection.execute(_UNTOLD, [UNTOLD_DAYS]).fetchall()
    if rows:
        name, _, n_attempts, reason = rows[0]
        n_given_up = sum(row[1] for row in rows)
        note = f"; {n_given_up} of them are given up" if n_given_up else ""
        yield Finding(
            "messages",
            f"Messages about alerts were not sent in time, or not taken by their server{note}",
            len(rows),
            f"{name}, attempt {n_attempts}: {reason}",
            "docs/debugging.md, Nobody was told of an alert: mend the connection; what waits is sent again by itself",
        )


def look_at_server(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find sessions that wait for a lock, and a server that soon lets nobody in."""
    locked = [row[0] for row in connection.execute(_LOCKED, [LOCKED_MINUTES])]
    if locked:
        yield Finding(
            "locks",
            f"Sessions wait for a lock for over {LOCKED_MINUTES} minutes",
            len(locked),
            locked[0],
            "let the holder end; one that is dead: SELECT pg_terminate_backend(HOLDER) as the warehouse's owner",
        )
    used, most = connection.execute(_CONNECTIONS).fetchone() or (0, 1)
    if used > MOST_CONNECTIONS_RATIO * most:
        yield Finding(
            "connections",
            "PostgreSQL has hardly a connection left",
            used,
            f"{used} of {most} are taken",
            "close BI tools; lower MULGIL_PARALLELISM; or raise max_connections",
        )
