"""Reads an experiment's sums from the lake; no row leaves the engine.

What belongs here: opening the log and running the sums. What does not: how they are made (`rewards.py`).
"""

from collections.abc import Sequence
from datetime import datetime

from include.engine.session import open_engine
from include.experiments.definition import Design
from include.experiments.rewards import UnitSum, sum_units
from include.lake.reading import open_rows
from include.names import events_table


def read_sums(
    problem: str, partitions: Sequence[str], design: Design, *, as_of: datetime, decided_at: datetime | None
) -> tuple[list[UnitSum], dict[str, int]]:
    """Sum the published log of some partitions, as of a moment.

    Args:
        problem: name of the problem.
        partitions: published partitions to read.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet.
        decided_at: exposures from here on follow the decision; None while there is none.

    Returns:
        the sums, and how many units or rows were left out, by reason.
    """
    events = open_rows(events_table(problem), partitions)
    sums, exclusions = sum_units(events, design, as_of=as_of, decided_at=decided_at)
    engine = open_engine()
    left_out = {row["reason"]: row["n_rows"] for row in engine.to_pyarrow(exclusions).to_pylist()}
    return [UnitSum(**row) for row in engine.to_pyarrow(sums).to_pylist()], left_out
