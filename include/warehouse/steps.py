"""Turns a function into a step: timed, recorded, and never twice at once for one partition."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ParamSpec

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from include.errors import BadPartition, WarehouseAway
from include.names import Stage
from include.warehouse.coverage import lift_failure, mark_failed
from include.warehouse.database import open_warehouse
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_number
from include.warehouse.tables.runs import RUN_STEP

P = ParamSpec("P")
Outcome = dict[str, Any]
LONGEST_ERROR = 2_000  # characters


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
            with _naming_a_warehouse_that_is_away(), _locked(problem, stage, partition_key):
                return _timed(stage, function, problem, partition_key, args, kwargs)

        return run

    return decorate


@contextmanager
def _locked(*parts: str) -> Iterator[None]:
    """Hold a lock for the time of the block; it ends with the process, also when that is killed."""
    lock = {"lock": lock_number(*parts)}
    # The lock's own connection: a session lock ends with it.
    with open_warehouse().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), lock)
        try:
            yield
        finally:
            with suppress(OperationalError):  # a connection that was lost has taken its lock with it
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)


@contextmanager
def _naming_a_warehouse_that_is_away() -> Iterator[None]:
    """Say in a sentence that the warehouse does not answer."""
    try:
        yield
    except OperationalError as error:
        first_line = str(error.orig).strip().partition("\n")[0]
        raise WarehouseAway(
            f"The warehouse does not answer ({first_line}). Nothing is half-written: what a step writes is there "
            "whole or not at all. Once the server runs again, clear the task."
        ) from error


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
    except BaseException as error:  # Airflow ends a task by an exception that is no Exception
        row |= {"status": "failed", "outcome": {"error": describe(error)}}
        try:
            is_unknown = isinstance(error, BadPartition)
            _record(stage, row, time.perf_counter() - started, is_unknown=is_unknown)
        except OperationalError as lost:
            error.add_note(f"It could not be recorded either: {str(lost.orig).partition(chr(10))[0]}")
        raise
    _record(
        stage,
        row | {"status": "done", "outcome": outcome, "n_rows": outcome.get("n_rows")},
        time.perf_counter() - started,
    )
    return outcome


def _record(stage: Stage, row: dict[str, Any], duration_s: float, *, is_unknown: bool = False) -> None:
    """Write how a step ended, and whether its partition is held up by it.

    Args:
        is_unknown: whether there is no such partition.
    """
    problem, key = row["problem"], row["partition_key"]
    with open_warehouse().begin() as connection:
        upsert_rows(connection, RUN_STEP, [row | {"duration_s": duration_s}])
        if key and row["status"] == "done":
            lift_failure(connection, problem, stage, key)
        elif key and not is_unknown:
            detail = f"{row['step']}: {row['outcome']['error']}"
            mark_failed(connection, problem, stage, key, detail=detail, run_id=row["run_id"])


def describe(error: BaseException) -> str:
    """Write an error as a line for the record."""
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
