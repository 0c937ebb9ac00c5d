"""Reads and writes the windows of an experiment.

What belongs here: the tables of `warehouse/tables/experiments.py`. What does not: what is written in them.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, delete, func, insert, or_, select, update

from include.experiments.analysis import Range, VariantRow
from include.experiments.checks import Check
from include.experiments.decision import Decision
from include.experiments.evaluation.policies import PolicyValue
from include.experiments.lift import Lift
from include.experiments.off_policy_replay import VariantSum
from include.experiments.plan import Plan
from include.experiments.posteriors import Posterior
from include.experiments.rewards import COUNTED_REWARD, PILOT, WAVE, ClusterSum, Exclusion
from include.names import Stage
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
    EXPERIMENT_METRIC,
    EXPERIMENT_PLAN,
    EXPERIMENT_RUNNING_SUM,
    EXPERIMENT_VARIANT,
    OFF_POLICY_ESTIMATE,
    VARIANT_SUM,
)
from include.warehouse.tables.runs import COVERAGE

TABLES = (
    VARIANT_SUM,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_VARIANT,
    ALLOCATION,
    EXPERIMENT_LIFT,
    EXPERIMENT_METRIC,
    EXPERIMENT_RUNNING_SUM,
    OFF_POLICY_ESTIMATE,
)


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
    exclusions: Sequence[Exclusion]
    checks: Sequence[Check]
    taken: Taken
    variants: Sequence[VariantRow]
    due_at: datetime
    plan_sha256: str
    ranges: Sequence[Range]
    lifts: Mapping[str, Lift]


def hold_experiment(connection: Connection, problem: str) -> None:
    """Keep every other change of this problem's experiment waiting until the transaction ends.

    A step's own lock is per partition; two partitions must not both write a window.
    """
    lock_until_commit(connection, "experiment", problem)


def read_processed(connection: Connection, problem: str, experiment: str) -> list[str]:
    """Name the windows that have a decision, oldest first."""
    decisions = EXPERIMENT_DECISION.c
    query = select(decisions.partition_key).where(*_own(EXPERIMENT_DECISION, problem, experiment))
    return list(connection.scalars(query.order_by(decisions.partition_key)))


def read_fresh(connection: Connection, problem: str, experiment: str) -> set[str]:
    """Name the windows that have a decision and are not to be done again."""
    decisions = EXPERIMENT_DECISION.c
    is_fresh = decisions.is_stale.is_not(True)
    return set(
        connection.scalars(
            select(decisions.partition_key).where(*_own(EXPERIMENT_DECISION, problem, experiment), is_fresh)
        )
    )


def mark_stale(connection: Connection, problem: str, experiment: str, windows: Collection[str]) -> None:
    """Write down that windows are to be done again; doing one takes the mark away. New ones need none."""
    is_one = is_one_of(EXPERIMENT_DECISION.c.partition_key, windows)
    own = (*_own(EXPERIMENT_DECISION, problem, experiment), is_one)
    connection.execute(update(EXPERIMENT_DECISION).where(*own).values(is_stale=True))


def read_decision(connection: Connection, problem: str, experiment: str, partition_key: str) -> RowMapping | None:
    """Read what was decided after one window; None when it was not processed yet."""
    decisions = EXPERIMENT_DECISION.c
    query = select(EXPERIMENT_DECISION).where(
        *_own(EXPERIMENT_DECISION, problem, experiment), decisions.partition_key == partition_key
    )
    return connection.execute(query).mappings().one_or_none()


def read_plan_of(
    connection: Connection, problem: str, experiment: str, partition_key: str
) -> Mapping[str, object] | None:
    """Read the plan that a window's final decision was made with; None where there is no such decision."""
    decisions, plans = EXPERIMENT_DECISION.c, EXPERIMENT_PLAN.c
    is_its = and_(plans.problem == decisions.problem, plans.experiment == decisions.experiment)
    is_its = and_(is_its, plans.sha256 == decisions.plan_sha256)
    query = (
        select(plans.plan)
        .select_from(EXPERIMENT_DECISION.join(EXPERIMENT_PLAN, is_its))
        .where(*_own(EXPERIMENT_DECISION, problem, experiment))
        .where(decisions.partition_key == partition_key, decisions.is_final)
    )
    found: Mapping[str, object] | None = connection.scalar(query)
    return found


def read_plans(connection: Connection, problem: str, experiment: str) -> list[Plan]:
    """Read every plan that was written down, oldest first."""
    plans = EXPERIMENT_PLAN.c
    query = select(plans.plan, plans.sha256).where(*_own(EXPERIMENT_PLAN, problem, experiment)).order_by(plans.version)
    return [Plan(row.plan, row.sha256) for row in connection.execute(query)]


def keep_plan(connection: Connection, problem: str, experiment: str, plan: Plan, *, now: datetime) -> None:
    """Write a plan down the first time that a window is done with it, as the next version."""
    plans = EXPERIMENT_PLAN.c
    known = connection.execute(select(plans.sha256).where(*_own(EXPERIMENT_PLAN, problem, experiment)))
    versions = {row.sha256 for row in known}
    if plan.sha256 not in versions:
        row = {"problem": problem, "experiment": experiment, "version": len(versions) + 1}
        about = {"sha256": plan.sha256, "plan": dict(plan.document), "written_at_utc": now}
        connection.execute(insert(EXPERIMENT_PLAN).values(row | about))


def read_in_force(
    connection: Connection, problem: str, experiment: str, partition_key: str, plan_sha256: str, variants: Sequence[str]
) -> Taken | None:
    """Read the final decision that was taken with a plan before a window; None when there is none.

    A decision that was made before plans were kept counts for any that has the variant it sends.
    """
    decisions = EXPERIMENT_DECISION.c
    is_older = decisions.plan_sha256.is_(None) & is_one_of(decisions.variant, variants)
    query = (
        select(EXPERIMENT_DECISION)
        .where(*_own(EXPERIMENT_DECISION, problem, experiment))
        .where(decisions.partition_key < partition_key, decisions.is_final)
        .where(or_(decisions.plan_sha256 == plan_sha256, is_older))
        .order_by(decisions.partition_key)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    decision = Decision(**{name: row[name] for name in Decision.__dataclass_fields__})
    return Taken(decision, row["partition_key"], row["decided_at_utc"], row["posterior"])


def read_in_force_now(
    connection: Connection, problem: str, experiment: str
) -> tuple[str | None, list[Range], str | None]:
    """Read the shares of the newest window.

    Returns:
        the window, its ranges in their order, and the name of its plan: None, none and None before the first one; no
        name where an older version did the window.
    """
    ranges, decisions = ALLOCATION.c, EXPERIMENT_DECISION.c
    own = _own(ALLOCATION, problem, experiment)
    newest = connection.scalar(select(func.max(ranges.partition_key)).where(*own))
    columns = (ranges[name] for name in Range.__dataclass_fields__)
    query = select(*columns).where(*own, ranges.partition_key == newest).order_by(ranges.place)
    found = [Range(*row) for row in connection.execute(query)]
    plan = select(decisions.plan_sha256).where(*_own(EXPERIMENT_DECISION, problem, experiment))
    return newest, found, connection.scalar(plan.where(decisions.partition_key == newest))


def read_plan_version(
    connection: Connection, problem: str, experiment: str, sha256: str
) -> tuple[int, Mapping[str, object]]:
    """Read the number of a plan that was written down, from 1, and its document."""
    plans = EXPERIMENT_PLAN.c
    query = select(plans.version, plans.plan).where(*_own(EXPERIMENT_PLAN, problem, experiment), plans.sha256 == sha256)
    version, document = connection.execute(query).one()
    return version, document


def read_waves(connection: Connection, problem: str, experiment: str, partition_key: str) -> Sequence[RowMapping]:
    """Read the ranges of waves that were published before a window, oldest window first."""
    ranges = ALLOCATION.c
    query = (
        select(ALLOCATION)
        .where(*_own(ALLOCATION, problem, experiment))
        .where(ranges.partition_key < partition_key, ranges.phase.startswith(f"{WAVE} "))
        .order_by(ranges.partition_key, ranges.place)
    )
    return connection.execute(query).mappings().all()


def read_trial(
    connection: Connection, problem: str, experiment: str, partition_key: str
) -> list[dict[str, tuple[int, int]]]:
    """Read of every window before one each variant's mature and rewarded units of pilot and waves until then."""
    sums = VARIANT_SUM.c
    query = (
        select(sums.partition_key, sums.variant, func.sum(sums.n_mature), func.sum(sums.n_rewarded))
        .where(*_own(VARIANT_SUM, problem, experiment))
        .where(sums.partition_key < partition_key, sums.phase.in_([PILOT, WAVE]))
        .group_by(sums.partition_key, sums.variant)
        .order_by(sums.partition_key)
    )
    windows: dict[str, dict[str, tuple[int, int]]] = {}
    for key, variant, n_mature, n_rewarded in connection.execute(query):
        windows.setdefault(key, {})[variant] = (int(n_mature), int(n_rewarded))
    return list(windows.values())


def date_decision(
    connection: Connection,
    problem: str,
    experiment: str,
    partition_key: str,
    decision: Decision,
    posteriors: Mapping[str, Posterior] | None,
    *,
    now: datetime,
) -> Taken:
    """Say when a window's decision was taken: the first time that the window came to this end."""
    before = read_decision(connection, problem, experiment, partition_key)
    is_same = before is not None and (before["outcome"], before["variant"]) == (decision.outcome, decision.variant)
    moment = before["decided_at_utc"] if before is not None and is_same else now
    known = {variant: asdict(posterior) for variant, posterior in (posteriors or {}).items()}
    return Taken(decision, partition_key, moment, known)


def forget_windows(connection: Connection, problem: str, experiment: str, windows: Collection[str]) -> None:
    """Remove windows whose partition is not published any more."""
    tables: Sequence[Table] = TABLES
    for table in tables:
        is_gone = is_one_of(table.c.partition_key, windows)
        connection.execute(delete(table).where(*_own(table, problem, experiment), is_gone))
    connection.execute(
        delete(COVERAGE).where(
            COVERAGE.c.problem == problem,
            COVERAGE.c.stage == str(Stage.EXPERIMENT),
            is_one_of(COVERAGE.c.partition_key, windows),
        )
    )


def write_window(connection: Connection, problem: str, experiment: str, partition_key: str, window: Window) -> None:
    """Replace everything that one window says, in the caller's transaction."""
    where = {"problem": problem, "experiment": experiment, "partition_key": partition_key}
    decision = asdict(window.taken.decision) | {
        "posterior": window.taken.posteriors,
        "decided_at_utc": window.taken.decided_at_utc,
        "due_at_utc": window.due_at,
        "plan_sha256": window.plan_sha256,
        "is_stale": False,
    }
    lifts = [
        {"kind": kind, "variant": window.taken.decision.variant} | asdict(lift) for kind, lift in window.lifts.items()
    ]
    rows: dict[Table, list[dict[str, object]]] = {
        VARIANT_SUM: [_flatten_sum(part) for part in window.sums],
        EXPERIMENT_EXCLUSION: _flatten_exclusions(window.exclusions),
        EXPERIMENT_CHECK: [asdict(check) for check in window.checks],
        EXPERIMENT_DECISION: [decision],
        ALLOCATION: [{"place": place} | asdict(one) for place, one in enumerate(window.ranges)],
        EXPERIMENT_LIFT: lifts,
        EXPERIMENT_VARIANT: [_flatten(row) for row in window.variants],
    }
    for table, contents in rows.items():
        replace_rows(connection, table, where, [where | row for row in contents])


def write_estimates(
    connection: Connection, problem: str, experiment: str, partition_key: str, estimates: Sequence[PolicyValue]
) -> None:
    """Replace what other policies would have earned, in the caller's transaction; only the newest window's is kept."""
    where = {"problem": problem, "experiment": experiment}
    rows = [where | {"partition_key": partition_key} | asdict(estimate) for estimate in estimates]
    replace_rows(connection, OFF_POLICY_ESTIMATE, where, rows)


def _own(table: Table, problem: str, experiment: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Ask for the rows of one experiment."""
    return table.c.problem == problem, table.c.experiment == experiment


def _flatten(row: VariantRow) -> dict[str, object]:
    """Write a variant and its comparison as one row."""
    columns: dict[str, object] = asdict(row)
    del columns["comparison"]
    return columns | asdict(row.comparison)


def _flatten_exclusions(exclusions: Sequence[Exclusion]) -> list[dict[str, object]]:
    """Write what was left out by reason, variant and day, whether it is of the trial or later."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for part in exclusions:
        if part.reason != COUNTED_REWARD:
            counted[part.reason, part.variant, part.seen_on] += part.n_rows
    return [
        {"reason": reason, "variant": variant, "seen_on": day, "n_rows": n}
        for (reason, variant, day), n in counted.items()
    ]


def _flatten_sum(part: VariantSum) -> dict[str, object]:
    """Write sums, and those over clusters where there are any, as one row."""
    columns: dict[str, object] = asdict(part)
    del columns["clusters"]
    clusters = dict.fromkeys(ClusterSum.__dataclass_fields__) if part.clusters is None else asdict(part.clusters)
    effect = None if part.clusters is None else part.design_effect
    return columns | clusters | {"design_effect": effect}
