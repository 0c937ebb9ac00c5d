"""Reads from the lake how many units an experiment gets, and how many of them are rewarded, for its plan.

What belongs here: reading. What does not: what follows from it (`planning.py`).
"""

from dataclasses import dataclass

from include.experiments.design import design_of, require_experiment
from include.experiments.reward_log import read_sums
from include.partition_keys import partition_bounds
from include.problems.schema import Problem
from include.warehouse import coverage
from include.warehouse.database import open_warehouse


@dataclass(frozen=True)
class Traffic:
    """What an experiment can count on.

    Attributes:
        n_units_per_day: first exposures a day.
        base_rate: share of mature units that are rewarded, 0..1: of the control, or of all where it has none.
    """

    n_units_per_day: float
    base_rate: float


def read_traffic(problem: Problem) -> Traffic | None:
    """Read the traffic and base rate of a problem's only experiment; None where nobody whose time is up landed yet.

    Args:
        problem: with one experiment.

    Raises:
        BadExperiment: the problem has none.
    """
    with open_warehouse().connect() as connection:
        partitions = coverage.settled_prefix(connection, problem.name)
    if not partitions:
        return None
    design = design_of(problem)
    first, last = (partition_bounds(key, problem.source.grain) for key in (partitions[0], partitions[-1]))
    sums = read_sums(problem.name, partitions, design, as_of=last[1], decided_at=None).sums
    control = [part for part in sums if part.variant == require_experiment(problem).control and part.n_mature]
    counted = control or [part for part in sums if part.n_mature]
    if not counted:
        return None
    # Whoever came before the start or after the end is not among the units, nor are those days.
    start, end = max(first[0], design.start or first[0]), min(last[1], design.end or last[1])
    n_days = (end - start).total_seconds() / 86_400
    rate = sum(part.n_rewarded for part in counted) / sum(part.n_mature for part in counted)
    return Traffic(sum(part.n_units for part in sums) / n_days, rate)
