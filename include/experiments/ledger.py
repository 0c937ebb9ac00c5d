"""Reads and writes the windows of an experiment.

What belongs here: the tables of `warehouse/tables/experiments.py`. What does not: what is written in them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, select

from include.experiments.checks import Check
from include.experiments.deciding import Decision
from include.experiments.lift import Lift
from include.experiments.posteriors import Posterior
from include.experiments.replay import VariantSum
from include.names import Stage
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
    VARIANT_SUM,
)
from include.warehouse.tables.runs import COVERAGE

TABLES = (VARIANT_SUM, EXPERIMENT_EXCLUSION, EXPERIMENT_CHECK, EXPERIMENT_DECISION, ALLOCATION, EXPERIMENT_LIFT)


@dataclass(frozen=True)
class Taken:
    """A decision with the moment and the knowledge it was taken with.

    Attributes:
        decision: what was decided.
        partition_key: the window after which it was.
        decided_at_utc: when it was first decided.
        posteriors: what was known of each variant then, as a page reads it.
    """

    decision: Decision
    partition_key: str
    decided_at_utc: datetime
    posteriors: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Window:
    """Everything one window says."""

    sums: Sequence[VariantSum]
    exclusions: Mapping[str, int]
    checks: Sequence[Check]
    taken: Taken
    phase: str
    shares: Mapping[str, float]
    lifts: Mapping[str, Lift]


def hold_experiment(connection: Connection, problem: str) -> None:
    """Keep every other change of this problem's experiment waiting until the transaction ends.

    A step's own lock is per partition; two partitions must not both write a window.
    """
    lock_until_commit(connection, "experiment", problem)


def read_processed(connection: Connection, problem: str) -> list[str]:
    """Name the windows that have a decision, oldest first."""
    decisions = EXPERIMENT_DECISION.c
    query = select(decisions.partition_key).where(decisions.problem == problem).order_by(decisions.partition_key)
    return list(connection.scalars(query))


def read_decision(connection: Connection, problem: str, partition_key: str) -> RowMapping | None:
    """Read what was decided after one window; None when it was not processed yet."""
    decisions = EXPERIMENT_DECISION.c
    query = select(EXPERIMENT_DECISION).where(decisions.problem == problem, decisions.partition_key == partition_key)
    return connection.execute(query).mappings().one_or_none()


def read_in_force(connection: Connection, problem: str, partition_key: str) -> Taken | None:
    """Read the final decision that was taken before a window; None when there is none."""
    decisions = EXPERIMENT_DECISION.c
    query = (
        select(EXPERIMENT_DECISION)
        .where(decisions.problem == problem, decisions.partition_key < partition_key, decisions.is_final)
        .order_by(decisions.partition_key)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    decision = Decision(**{name: row[name] for name in Decision.__dataclass_fields__})
    return Taken(decision, row["partition_key"], row["decided_at_utc"], row["posterior"])


def date_decision(
    connection: Connection,
    problem: str,
    partition_key: str,
    decision: Decision,
    posteriors: Mapping[str, Posterior],
    *,
    now: datetime,
) -> Taken:
    """Say when a window's decision was taken: the first time that the window came to this end."""
    before = read_decision(connection, problem, partition_key)
    is_same = before is not None and (before["outcome"], before["variant"]) == (decision.outcome, decision.variant)
    moment = before["decided_at_utc"] if before is not None and is_same else now
    known = {variant: asdict(posterior) for variant, posterior in posteriors.items()}
    return Taken(decision, partition_key, moment, known)


def forget_windows(connection: Connection, problem: str, windows: Collection[str]) -> None:
    """Remove windows whose partition is not published any more."""
    tables: Sequence[Table] = TABLES
    for table in tables:
        connection.execute(delete(table).where(table.c.problem == problem, table.c.partition_key.in_(windows)))
    connection.execute(
        delete(COVERAGE).where(
            COVERAGE.c.problem == problem,
            COVERAGE.c.stage == str(Stage.EXPERIMENT),
            COVERAGE.c.partition_key.in_(windows),
        )
    )


def write_window(connection: Connection, problem: str, partition_key: str, window: Window) -> None:
    """Replace everything that one window says, in the caller's transaction."""
    where = {"problem": problem, "partition_key": partition_key}
    decision = asdict(window.taken.decision) | {
        "posterior": window.taken.posteriors,
        "decided_at_utc": window.taken.decided_at_utc,
    }
    lifts = [
        {"kind": kind, "variant": window.taken.decision.variant} | asdict(lift) for kind, lift in window.lifts.items()
    ]
    rows: dict[Table, list[dict[str, Any]]] = {
        VARIANT_SUM: [asdict(part) for part in window.sums],
        EXPERIMENT_EXCLUSION: [{"reason": name, "n_rows": n_rows} for name, n_rows in window.exclusions.items()],
        EXPERIMENT_CHECK: [asdict(check) for check in window.checks],
        EXPERIMENT_DECISION: [decision],
        ALLOCATION: [
            {"phase": window.phase, "variant": variant, "share_ratio": share}
            for variant, share in window.shares.items()
        ],
        EXPERIMENT_LIFT: lifts,
    }
    for table, contents in rows.items():
        replace_rows(connection, table, where, [where | row for row in contents])
