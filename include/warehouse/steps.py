"""Turns a function into a step: timed, recorded, and never twice at once for one partition."""

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from include.errors import DiskFull, NothingThere, WarehouseAway
from include.names import Stage
from include.warehouse.coverage import lift_failure, mark_failed
from include.warehouse.database import is_away, open_warehouse
from include.warehouse.faults import naming_faults
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_number
from include.warehouse.tables.runs import RUN_STEP

P = ParamSpec("P")
Outcome = dict[str, Any]
LONGEST_ERROR = 2_000  # characters
# Errors of the machine, or of all at once: trying the partitions one after the other would help none of them.
_NOBODYS = (WarehouseAway, DiskFull, MemoryError)


def step(stage: Stage, *, is_for_group: bool = False) -> Callable[[Callable[P, Outcome]], Callable[P, Outcome]]:
    """Make a function the body of one Airflow task.

    The function is called with keywords only: `problem`, mostly `partition_key`, and `run_id`. While it runs, a lock in
    the warehouse keeps every other run's steps of the same stage and partition waiting, whatever machine they are on:
    a staging that cleans up must not take away the files that another run is just publishing.

    Args:
        is_for_group: whether it is about several partitions: what it calls for them, `run_together` or the step for
            one, is recorded and locked by itself.

    Raises (the step that is made):
        WarehouseAway, DiskFull, LakeDamaged: where an error of a library means that.
    """

    def decorate(function: Callable[P, Outcome]) -> Callable[P, Outcome]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            problem = str(kwargs["problem"])
            partition_key = str(kwargs.get("partition_key") or "")
            if is_for_group:
                with naming_faults():
                    return function(*args, **kwargs)
            with naming_faults(), _locked([lock_number(problem, stage, partition_key)]):
                return _timed(stage, function, problem, partition_key, args, kwargs)

        return run

    return decorate


@dataclass(frozen=True)
class GroupStep:
    """A step of one stage that several partitions of a problem take at once, under the name that it has for one."""

    name: str
    stage: Stage
    problem: str
    run_id: str


def run_together(
    group_step: GroupStep,
    partition_keys: Sequence[str],
    together: Callable[[], Mapping[str, Outcome]],
    alone: Callable[[str], Outcome],
) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Run a step for several partitions at once; where that breaks off, for one after the other.

    So only the partition that is to blame goes no further. Locks and records are those of the step for one partition;
    each is recorded with its share of the time.

    Args:
        together: gives the outcome of each partition, having changed all or nothing.
        alone: the step for one partition.

    Returns:
        partition to its outcome, and partition to why it has none, in one line.

    Raises:
        WarehouseAway, DiskFull, MemoryError: no partition is to blame.
        what `alone` raises: where no partition has an outcome.
    """
    if len(partition_keys) > 1:
        try:
            return dict(_record_together(group_step, partition_keys, together)), {}
        except _NOBODYS:
            raise
        except Exception as error:
            logging.getLogger(__name__).warning(
                "%s of %d partitions broke off (%s); now one after the other.",
                group_step.name,
                len(partition_keys),
                describe(error),
            )
    return run_each(partition_keys, alone)


def run_each(
    partition_keys: Sequence[str], alone: Callable[[str], Outcome]
) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Run a step for one partition after the other; where one breaks off, the others go on.

    Returns, Raises: as `run_together`.
    """
    done: dict[str, Outcome] = {}
    errors: dict[str, Exception] = {}
    for key in partition_keys:
        try:
            done[key] = alone(key)
        except _NOBODYS:
            raise
        except Exception as error:
            errors[key] = error
    if errors and not done:
        raise next(iter(errors.values()))
    return done, {key: describe(error) for key, error in errors.items()}


def _record_together(
    group_step: GroupStep, partition_keys: Sequence[str], together: Callable[[], Mapping[str, Outcome]]
) -> Mapping[str, Outcome]:
    """Run a step for several partitions under the locks of all, and record it for each."""
    locks = [lock_number(group_step.problem, group_step.stage, key) for key in partition_keys]
    with naming_faults(), _locked(locks):
        started_at, started = datetime.now(UTC), time.perf_counter()
        outcomes = together()
        share_s = (time.perf_counter() - started) / max(len(outcomes), 1)
        rows = [
            {
                "problem": group_step.problem,
                "stage": str(group_step.stage),
                "step": group_step.name,
                "partition_key": key,
                "run_id": group_step.run_id,
                "started_at_utc": started_at,
                "n_rows": outcome.get("n_rows"),
                "status": "done",
                "outcome": outcome,
                "duration_s": share_s,
            }
            for key, outcome in outcomes.items()
        ]
        with open_warehouse().begin() as connection:
            upsert_rows(connection, RUN_STEP, rows)
            for key in outcomes:
                lift_failure(connection, group_step.problem, group_step.stage, key)
    return outcomes


@contextmanager
def _locked(locks: Sequence[int]) -> Iterator[None]:
    """Hold locks for the time of the block; they end with the process, also when that is killed."""
    # The locks' own connection: a session lock ends with it.
    with open_warehouse().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            # In one order for everybody: two that hold one each and want the other's would wait for ever.
            for lock in sorted(set(locks)):
                connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": lock})
            yield
        finally:
            with suppress(OperationalError):  # a connection that was lost has taken its locks with it
                connection.execute(text("SELECT pg_advisory_unlock_all()"))


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
        with naming_faults():
            outcome = function(*args, **kwargs)
    except BaseException as error:  # Airflow ends a task by an exception that is no Exception
        row |= {"status": "failed", "outcome": {"error": describe(error)}}
        try:
            is_unknown = isinstance(error, NothingThere)
            _record(stage, row, time.perf_counter() - started, is_unknown=is_unknown)
        except OperationalError as lost:
            error.add_note(f"It could not be recorded either: {str(lost.orig).partition(chr(10))[0]}")
        raise
    done = row | {"status": "done", "outcome": outcome, "n_rows": outcome.get("n_rows")}
    try:
        _record(stage, done, time.perf_counter() - started)
    except Exception as error:
        if isinstance(error, OperationalError) and is_away(error):
            raise
        # Without this the partition would stay "running", and nobody would be told why nothing goes on.
        reason = f"what it found cannot be stored: {describe(error)}"
        failed = row | {"status": "failed", "outcome": {"error": reason[:LONGEST_ERROR]}}
        _record(stage, failed, time.perf_counter() - started)
        raise
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
