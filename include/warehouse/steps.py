"""Turns a function into a step: timed, recorded, and never twice at once for one partition."""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ParamSpec

from sqlalchemy import text

from include.names import Stage
from include.warehouse.database import open_warehouse
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_number
from include.warehouse.tables.runs import RUN_STEP

P = ParamSpec("P")
Outcome = dict[str, Any]


def step(stage: Stage) -> Callable[[Callable[P, Outcome]], Callable[P, Outcome]]:
    """Make a function the body of one Airflow task.

    The function is called with keywords only: `problem`, mostly `partition_key`, and `run_id`. While it runs, a lock in
    the warehouse keeps every other run's steps of the same stage and partition waiting, whatever machine they are on:
    a staging that cleans up must not take away the files that another run is just publishing.
    """

    def decorate(function: Callable[P, Outcome]) -> Callable[P, Outcome]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            problem = str(kwargs["problem"])
            partition_key = str(kwargs.get("partition_key") or "")
            lock = lock_number(problem, stage, partition_key)
            # The lock's own connection: a session lock ends with the process, also when it is killed.
            with open_warehouse().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": lock})
                try:
                    return _timed(stage, function, problem, partition_key, args, kwargs)
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": lock})

        return run

    return decorate


def _timed(
    stage: Stage, function: Callable[..., Outcome], problem: str, partition_key: str, args: Any, kwargs: Any
) -> Outcome:
    """Run the function, and record how long it took and how it ended."""
    row: dict[str, Any] = {
        "problem": problem,
        "stage": str(stage),
        "step": function.__name__,
        "partition_key": partition_key,
        "run_id": str(kwargs.get("run_id") or "by-hand"),
        "started_at_utc": datetime.now(UTC),
        "n_rows": None,
    }
    started = time.perf_counter()
    try:
        outcome = function(*args, **kwargs)
        row |= {"status": "done", "outcome": outcome, "n_rows": outcome.get("n_rows")}
    except BaseException as error:  # Airflow ends a task by an exception that is no Exception
        row |= {"status": "failed", "outcome": {"error": f"{type(error).__name__}: {error}"[:2000]}}
        raise
    finally:
        row["duration_s"] = time.perf_counter() - started
        with open_warehouse().begin() as connection:
            upsert_rows(connection, RUN_STEP, [row])
    return outcome
