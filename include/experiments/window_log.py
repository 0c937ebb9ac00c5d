"""Reads the log up to the end of a window: when its experiment is full, what it counted, what other policies earned.

What does not belong here: what follows from it (`analysis.py`), and in what order windows are done (`steps.py`).
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from include.experiments import running_store, store
from include.experiments.design import Design, design_of
from include.experiments.evaluation.policies import evaluate_policies
from include.experiments.participation import end_when_full
from include.experiments.plan import with_plan
from include.experiments.propensity_log import read_cells
from include.experiments.reward_log import read_sums
from include.experiments.running_sums import RunningSums, name_state
from include.experiments.waves import WaveRange, ranges_in_force
from include.lake.reading import list_files, open_rows
from include.names import events_table
from include.partition_keys import partition_bounds
from include.problems.schema import Problem


def close_when_full(problem: str, key: str, partitions: Sequence[str], design: Design, grain: str) -> Design:
    """Give the design as it is known at the end of a window: over, where as many units came as may."""
    if design.max_units is None:
        return design
    rows = open_rows(events_table(problem), partitions)
    return end_when_full(rows, design, as_of=partition_bounds(key, grain)[1])


def keep_estimates(connection: Connection, definition: Problem, name: str, key: str, partitions: Sequence[str]) -> None:
    """Say what other policies would have earned until the end of a window, in the caller's transaction."""
    problem, grain = definition.name, definition.source.grain
    kept = store.read_plan_of(connection, problem, name, key)
    design = design_of(with_plan(definition, kept) if kept is not None else definition)
    design = close_when_full(problem, key, partitions, design, grain)
    waves = ranges_in_force(store.read_waves(connection, problem, name, key), grain, design.trial_end)
    parts = read_cells(problem, partitions, design, as_of=partition_bounds(key, grain)[1], waves=waves)
    store.write_estimates(connection, problem, name, key, evaluate_policies(parts, design.variants))


def read_running(
    connection: Connection,
    definition: Problem,
    name: str,
    key: str,
    partitions: Sequence[str],
    design: Design,
    decided_in: str | None,
    waves: Sequence[WaveRange],
) -> RunningSums:
    """Sum the log as of the end of a window; a decision is in force from the end of its window on."""
    problem, grain = definition.name, definition.source.grain
    as_of = partition_bounds(key, grain)[1]
    decided_at = partition_bounds(decided_in, grain)[1] if decided_in is not None else None
    # Named before they are read: what is published meanwhile makes the next window count everything.
    files = list_files(events_table(problem), partitions)
    where = (connection, problem, name, key)
    base = running_store.find_base(*where, partitions, design, grain=grain, decided_at=decided_at, waves=waves)
    running = read_sums(
        problem, partitions, design, as_of=as_of, decided_at=decided_at, waves=waves, grain=grain, base=base
    )
    state = name_state(design, files, as_of=as_of, decided_at=decided_at, waves=waves)
    running_store.write_running(*where, running, state)
    return running
