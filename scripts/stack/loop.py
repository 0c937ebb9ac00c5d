"""What the loop is doing, read from Airflow's metadata database: a few counts, one cheap query each, never a write.

The REST API could answer the same with one request per DAG; on two cores those requests would take the tasks' time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

import psycopg

from include.names import Stage
from scripts.stack.errors import StackError

# A server that recovers after a crash answers within seconds; one that was started again, within a few more.
RECONNECT_S = 30.0

# A run that only waits for a person is not work in progress: nobody may come today.
_RUNS = """
SELECT r.dag_id,
       r.state,
       count(*) AS n_runs,
       count(*) FILTER (
           WHERE r.state = 'running'
           AND EXISTS (
               SELECT 1 FROM task_instance t
               WHERE t.dag_id = r.dag_id AND t.run_id = r.run_id AND t.state = 'awaiting_input'
           )
           AND NOT EXISTS (
               SELECT 1 FROM task_instance t
               WHERE t.dag_id = r.dag_id AND t.run_id = r.run_id
               AND t.state IN ('running', 'queued', 'scheduled', 'restarting', 'up_for_retry', 'deferred')
           )
       ) AS n_waiting
FROM dag_run r
WHERE r.state IN ('queued', 'running') OR coalesce(r.queued_at, r.start_date) >= %(since)s
GROUP BY r.dag_id, r.state
"""
_PENDING = """
SELECT p.target_dag_id, count(DISTINCT p.partition_key)
FROM asset_partition_dag_run p
JOIN dag d ON d.dag_id = p.target_dag_id AND NOT d.is_paused AND NOT d.is_stale
WHERE p.created_dag_run_id IS NULL
GROUP BY p.target_dag_id
"""
_QUEUED_EVENTS = "SELECT target_dag_id, count(*) FROM asset_dag_run_queue GROUP BY target_dag_id"
_FAILED = """
SELECT r.dag_id, r.run_id, r.partition_key, t.task_id, t.try_number, t.map_index
FROM dag_run r
LEFT JOIN task_instance t ON t.dag_id = r.dag_id AND t.run_id = r.run_id AND t.state = 'failed'
WHERE r.state = 'failed' AND coalesce(r.queued_at, r.start_date) >= %(since)s
ORDER BY r.start_date, t.start_date
"""
_PARSED = "SELECT dag_id, last_parsed_time FROM dag WHERE NOT is_stale AND last_parsed_time IS NOT NULL"


@dataclass
class DagCounts:
    """Runs of one DAG since the command started, and partitions that wait for their run."""

    done: int = 0
    running: int = 0
    queued: int = 0
    failed: int = 0
    waiting: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """Everything there is to do, as far as is known now."""
        return self.done + self.running + self.queued + self.failed + self.pending


@dataclass(frozen=True)
class FailedRun:
    """One failed task of a failed run; `task_id` is None where the run failed without one."""

    dag_id: str
    run_id: str
    partition_key: str | None
    task_id: str | None
    try_number: int | None
    map_index: int | None


@dataclass
class Snapshot:
    """The loop at one moment: DAG id to its counts."""

    dags: dict[str, DagCounts] = field(default_factory=dict)

    def _sum(self, name: str) -> int:
        return sum(getattr(counts, name) for counts in self.dags.values())

    @property
    def n_active(self) -> int:
        """Runs that work or are about to, not counting those that wait for a person."""
        return self._sum("running") + self._sum("queued") - self._sum("waiting")

    @property
    def n_pending(self) -> int:
        """Partitions and events whose run does not exist yet."""
        return self._sum("pending")

    @property
    def n_waiting(self) -> int:
        """Runs that wait for a person."""
        return self._sum("waiting")

    @property
    def n_failed(self) -> int:
        """Runs that failed since the command started."""
        return self._sum("failed")

    @property
    def n_done(self) -> int:
        """Runs that succeeded since the command started."""
        return self._sum("done")


class Loop:
    """A reader of one Airflow's metadata database; a connection that breaks is made again.

    Args:
        connect: opens a connection to that database that commits each statement.
        since: runs queued before this moment, and finished, are somebody else's.
        look: looks after the servers while the database does not answer.
        is_ours: says of a DAG id whether its runs count; all do without it.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        since: datetime,
        look: Callable[[], None] = lambda: None,
        is_ours: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._connect = connect
        self._look = look
        self._is_ours = is_ours
        self._connection: psycopg.Connection | None = None
        self.since = since

    def __enter__(self) -> Loop:
        """Connect with the first question, not before."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no connection behind."""
        if self._connection is not None:
            self._connection.close()

    def _ask(self, query: LiteralString, **values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query.

        Raises:
            StackError: the database did not answer for half a minute.
            ComponentDied: PostgreSQL ends again and again.
        """
        lost_at = None
        while True:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return self._connection.execute(query, values).fetchall()
            except psycopg.OperationalError as error:
                now = time.monotonic()
                lost_at = now if lost_at is None else lost_at
                if now - lost_at > RECONNECT_S:
                    raise StackError(
                        f"Airflow's database did not answer for {RECONNECT_S:.0f} s ({_first_line(error)}). "
                        "Run make run again; what was done stays done."
                    ) from error
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._look()
            time.sleep(0.3)

    def snapshot(self) -> Snapshot:
        """Count runs and waiting partitions now."""
        result = Snapshot()
        names = {"success": "done", "running": "running", "queued": "queued", "failed": "failed"}
        for dag_id, state, n_runs, n_waiting in self._of_ours(self._ask(_RUNS, since=self.since)):
            counts = result.dags.setdefault(dag_id, DagCounts())
            setattr(counts, names[state], n_runs)
            counts.waiting += n_waiting
        for query in (_PENDING, _QUEUED_EVENTS):
            for dag_id, n_events in self._of_ours(self._ask(query)):
                result.dags.setdefault(dag_id, DagCounts()).pending += n_events
        return result

    def failed_runs(self) -> list[FailedRun]:
        """Return the failed tasks of runs that failed since the command started, oldest first."""
        return [FailedRun(*row) for row in self._of_ours(self._ask(_FAILED, since=self.since))]

    def _of_ours(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Leave out rows about DAGs that do not count."""
        return [row for row in rows if self._is_ours(str(row[0]))]

    def parsed_dags(self) -> dict[str, datetime]:
        """Return each DAG that Airflow knows, and when it last read it."""
        return {str(dag_id): moment for dag_id, moment in self._ask(_PARSED)}

    def count_import_errors(self) -> int:
        """Return how many files Airflow could not read."""
        ((n_errors,),) = self._ask("SELECT count(*) FROM import_error")
        return int(n_errors)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


# Their runs are started by the clock: after the first one, another says nothing about how far the loop is.
BY_CLOCK = (Stage.LAND, Stage.DESK_WATCH, Stage.EXPERIMENT_WATCH, Stage.EXPERIMENT_TIE, Stage.ALERT_WATCH, Stage.UPKEEP)


class Stillness:
    """Measures for how long nothing came further, while something still works or waits."""

    def __init__(self, now: float) -> None:
        self._last: object = None
        self._since = now

    def seconds(self, snapshot: Snapshot, now: float) -> float:
        """Return for how many seconds nothing came further, given one more look at `now` (seconds, monotonic)."""
        by_clock = tuple(f"__{stage}" for stage in BY_CLOCK)
        progress = {
            dag_id: min(counts.done, 1) if dag_id.endswith(by_clock) else (counts.done, counts.failed, counts.total)
            for dag_id, counts in snapshot.dags.items()
        }
        if progress != self._last:
            self._last, self._since = progress, now
        return now - self._since


class Patience:
    """Decides when the loop is at rest.

    At rest means: nothing active for `settle_s`. Partitions that wait for others, and runs that wait for a person, may
    do so for ever, so that after `stuck_s` without any change they no longer count.
    """

    def __init__(self, settle_s: float = 3.0, stuck_s: float = 20.0) -> None:
        self.settle_s = settle_s
        self.stuck_s = stuck_s
        self._last: Snapshot | None = None
        self._since = 0.0

    def is_at_rest(self, snapshot: Snapshot, now: float) -> bool:
        """Say whether the loop has finished, given one more look at it at `now` (seconds, monotonic)."""
        if snapshot != self._last:
            self._last, self._since = snapshot, now
        if snapshot.n_active > 0:
            return False
        wanted = self.stuck_s if snapshot.n_pending or snapshot.n_waiting else self.settle_s
        return now - self._since >= wanted
