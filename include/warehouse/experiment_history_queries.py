"""What the page of an experiment shows of its past: window by window, and version by version of its plan.

What belongs here: questions about more than the newest window. What does not: the newest one (`experiment_queries.py`),
and drawing the answers.
"""

from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, func, select

from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_DECISION,
    EXPERIMENT_PLAN,
    EXPERIMENT_VARIANT,
    VARIANT_SUM,
)

Row = dict[str, Any]
N_WINDOWS = 200  # of an experiment, the newest; a year of days would be too fine to be seen


def shares_by_window(connection: Connection, problem: str) -> list[Row]:
    """Read what was sent after each window of every experiment.

    Returns:
        ranges of the newest 200 windows, oldest first: experiment, partition_key, phase, variant and share_ratio
        (missing while nobody is sent anything), low, high.
    """
    a, windows = ALLOCATION.c, _windows(problem)
    its = and_(windows.c.experiment == a.experiment, windows.c.partition_key == a.partition_key)
    query = (
        select(a.experiment, a.partition_key, a.phase, a.variant, a.share_ratio, a.low, a.high)
        .select_from(ALLOCATION.join(windows, its))
        .where(a.problem == problem, windows.c.age <= N_WINDOWS)
        .order_by(a.experiment, a.partition_key, a.place)
    )
    return _rows(connection, query)


def units_by_phase(connection: Connection, problem: str) -> list[Row]:
    """Count the units of every experiment until its newest window.

    Returns:
        per experiment and phase: n_units, of these n_mature and n_rewarded.
    """
    s, windows = VARIANT_SUM.c, _windows(problem)
    its = and_(windows.c.experiment == s.experiment, windows.c.partition_key == s.partition_key)
    counts = [func.sum(s[name]).label(name) for name in ("n_units", "n_mature", "n_rewarded")]
    query = (
        select(s.experiment, s.phase, *counts)
        .select_from(VARIANT_SUM.join(windows, its))
        .where(s.problem == problem, windows.c.age == 1)
        .group_by(s.experiment, s.phase)
        .order_by(s.experiment, s.phase)
    )
    return _rows(connection, query)


def lifts_by_window(connection: Connection, problem: str, experiment: str) -> list[Row]:
    """Read how the lift of each variant over the control came out window by window, by the share of rewarded units.

    Returns:
        of the newest 200 windows, oldest first: partition_key, variant, n_mature, lift_ratio, low_any_look and
        high_any_look (-1..1).
    """
    v, windows = EXPERIMENT_VARIANT.c, _windows(problem)
    its = and_(windows.c.experiment == v.experiment, windows.c.partition_key == v.partition_key)
    query = (
        select(v.partition_key, v.variant, v.n_mature, v.lift_ratio, v.low_any_look, v.high_any_look)
        .select_from(EXPERIMENT_VARIANT.join(windows, its))
        .where(v.problem == problem, v.experiment == experiment)
        .where(v.verdict != "control", windows.c.age <= N_WINDOWS)
        .order_by(v.variant, v.partition_key)
    )
    return _rows(connection, query)


def decisions_by_window(connection: Connection, problem: str, experiment: str) -> list[Row]:
    """Read what was decided after each window, and what was known of each variant then.

    Returns:
        the newest 200 windows, the newest first: the columns of `EXPERIMENT_DECISION`, and plan_version.
    """
    d, p = EXPERIMENT_DECISION.c, EXPERIMENT_PLAN.c
    its = and_(p.problem == d.problem, p.experiment == d.experiment, p.sha256 == d.plan_sha256)
    query = (
        select(EXPERIMENT_DECISION, p.version.label("plan_version"))
        .select_from(EXPERIMENT_DECISION.outerjoin(EXPERIMENT_PLAN, its))
        .where(d.problem == problem, d.experiment == experiment)
        .order_by(d.partition_key.desc())
        .limit(N_WINDOWS)
    )
    return _rows(connection, query)


def plans(connection: Connection, problem: str, experiment: str) -> list[Row]:
    """Read every version of an experiment's plan, the newest first.

    Returns:
        version, sha256, plan, written_at_utc, and the first_window and last_window that were done with it, missing
        where none is left.
    """
    d, p = EXPERIMENT_DECISION.c, EXPERIMENT_PLAN.c
    its = and_(p.problem == d.problem, p.experiment == d.experiment, p.sha256 == d.plan_sha256)
    columns = (p.version, p.sha256, p.plan, p.written_at_utc)
    ends = (func.min(d.partition_key).label("first_window"), func.max(d.partition_key).label("last_window"))
    query = (
        select(*columns, *ends)
        .select_from(EXPERIMENT_PLAN.outerjoin(EXPERIMENT_DECISION, its))
        .where(p.problem == problem, p.experiment == experiment)
        .group_by(*columns)
        .order_by(p.version.desc())
    )
    return _rows(connection, query)


def _windows(problem: str) -> Subquery:
    """Number the windows of each experiment, the newest 1; every window has a decision, so that these are all."""
    d = EXPERIMENT_DECISION.c
    age = func.row_number().over(partition_by=d.experiment, order_by=d.partition_key.desc())
    return select(d.experiment, d.partition_key, age.label("age")).where(d.problem == problem).subquery()


def _rows(connection: Connection, query: Select[Any]) -> list[Row]:
    """Ask a query."""
    return [dict(row) for row in connection.execute(query).mappings()]
