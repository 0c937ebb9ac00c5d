"""The experiment stage: one function per Airflow task."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step


@step(Stage.EXPERIMENT)
def update_experiment(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Bring an experiment up to date: sums, checks, decision, shares and lift of every window that needs them.

    A window needs them when it is new, when it is the one that woke the step (its data may have changed), when a killed
    run left it undone, or when it comes after such a one. Windows are done in order, each in one transaction, and
    whichever run is next goes on where a killed one stopped.

    Args:
        problem: name of the problem.
        partition_key: the data partition that was published.
        run_id: Airflow run.

    Returns:
        `windows` done now; `outcome`, `variant` of the newest window; `n_rows`, the units counted in it.

    Raises:
        BadExperiment: the problem has no section `experiment`, or its sums contradict each other.
        BadPartition: `pilot_until` is not a partition of the problem's grain.
    """
    from include.experiments import ledger
    from include.experiments.definition import require_experiment

    definition = load_problem(problem)
    require_experiment(definition)
    with open_warehouse().begin() as connection:
        ledger.hold_experiment(connection, problem)
        prefix = coverage.settled_prefix(connection, problem)
        windows = _find_windows(connection, problem, prefix, partition_key)
        # A run that is killed between two windows leaves the others marked, and the next run does them.
        for key in windows:
            coverage.mark(connection, problem, Stage.EXPERIMENT, key, Coverage.RUNNING, run_id=run_id)
    n_units = 0
    for key in windows:
        with open_warehouse().begin() as connection:
            ledger.hold_experiment(connection, problem)
            n_units = _update_window(connection, definition, [past for past in prefix if past <= key], run_id)
    with open_warehouse().connect() as connection:
        newest = ledger.read_decision(connection, problem, prefix[-1]) if prefix else None
    return {
        "outcome": newest["outcome"] if newest else "wait",
        "variant": newest["variant"] if newest else None,
        "windows": windows,
        "n_rows": n_units,
    }


def _find_windows(connection: Connection, problem: str, prefix: Sequence[str], woken_by: str) -> list[str]:
    """Name the windows to do, oldest first; forget those whose partition is not published any more."""
    from include.experiments import ledger

    processed = ledger.read_processed(connection, problem)
    done = coverage.done_partitions(connection, problem, Stage.EXPERIMENT)
    # Behind the prefix a partition may only be on its way; inside it, it was refused.
    gone = [key for key in processed if prefix and key < prefix[-1] and key not in prefix]
    ledger.forget_windows(connection, problem, gone)
    changed = gone + [key for key in prefix if key == woken_by or key not in done]
    return [key for key in prefix if key >= min(changed)] if changed else []


def _update_window(connection: Connection, definition: Problem, partitions: Sequence[str], run_id: str) -> int:
    """Do the last of `partitions` as a window, in the caller's transaction; say how many units it counts."""
    from include.experiments import assessing, ledger, replay
    from include.experiments.definition import require_experiment, rules_of

    problem, key, rules = definition.name, partitions[-1], rules_of(definition)
    pilot_until = require_experiment(definition).pilot_until
    in_force = ledger.read_in_force(connection, problem, key)
    raw, exclusions = _read_sums(definition, partitions, in_force.partition_key if in_force else None)
    decided = in_force.decision.variant if in_force else None
    sums = replay.keep_on_policy(raw, decided=decided, control=rules.control)
    checks, posteriors = assessing.check_pilot(sums, rules), assessing.summarise_pilot(sums, rules)
    if in_force is None:
        decision = assessing.decide_window(checks, posteriors, rules, is_pilot_over=key > pilot_until)
        in_force = ledger.date_decision(connection, problem, key, decision, posteriors, now=datetime.now(UTC))
    decision = in_force.decision
    phase, shares = assessing.allocate_next(decision, rules, is_pilot_over=key >= pilot_until)
    lifts = assessing.compare_lifts(sums, decision, rules)
    window = ledger.Window(sums, exclusions, checks, in_force, phase, shares, lifts)
    ledger.write_window(connection, problem, key, window)
    coverage.mark(connection, problem, Stage.EXPERIMENT, key, Coverage.DONE, detail=decision.reason, run_id=run_id)
    return sum(part.n_units for part in sums)


def _read_sums(
    definition: Problem, partitions: Sequence[str], decided_in: str | None
) -> tuple[list[Any], dict[str, int]]:
    """Sum the log as of the end of the last of `partitions`; a decision is in force from the end of its window on."""
    from include.experiments.definition import design_of
    from include.experiments.log import read_sums
    from include.experiments.windows import window_end

    grain = definition.source.grain
    return read_sums(
        definition.name,
        partitions,
        design_of(definition),
        as_of=window_end(partitions[-1], grain),
        decided_at=window_end(decided_in, grain) if decided_in is not None else None,
    )
