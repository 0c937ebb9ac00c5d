"""Reads an experiment's sums from the lake; no row leaves the engine.

What belongs here: opening the log and running the sums. What does not: how they are made (`rewards.py`).
"""

from collections.abc import Sequence
from datetime import datetime

from include.experiments.design import Design
from include.experiments.participation import IS_ELIGIBLE, ask_eligibility
from include.experiments.running_sums import Base, RunningSums, carry_on, count_log, touched_rows
from include.experiments.waves import WaveRange
from include.lake.reading import open_rows
from include.names import PARTITION_KEY, events_table
from include.partition_keys import partition_bounds


def read_sums(
    problem: str,
    partitions: Sequence[str],
    design: Design,
    *,
    as_of: datetime,
    decided_at: datetime | None,
    waves: Sequence[WaveRange] = (),
    grain: str = "day",
    base: Base | None = None,
) -> RunningSums:
    """Sum the published log of some partitions, as of a moment.

    Args:
        problem: name of the problem.
        partitions: published partitions to read.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet.
        decided_at: exposures from here on follow the decision; None while there is none.
        waves: ranges that were in force between pilot and decision.
        grain: hour, day or month.
        base: an earlier window whose sums rest on what is there now: only units whose answer can have changed since are
            counted again. Everything is counted without it, and where clusters were drawn, whose parts are no units'.

    Returns:
        the sums, and what was left out, beside the rewards that count (`counted_reward`).
    """
    name = events_table(problem)
    if base is None or design.cluster is not None:
        return count_log(open_rows(name, partitions), design, as_of=as_of, decided_at=decided_at, waves=waves)
    bounds = {key: partition_bounds(key, grain) for key in partitions}
    new = [key for key in partitions if key not in base.partitions]
    since, until = base.as_of - design.attribution_window, as_of - design.attribution_window
    maturing = [key for key, (start, end) in bounds.items() if end > since and start <= until]
    columns = [PARTITION_KEY, design.unit, design.event, design.variant, design.event_time]
    columns += [IS_ELIGIBLE] if design.eligible is not None else []
    everything, fresh, ripe = (
        ask_eligibility(open_rows(name, keys), design).select(*dict.fromkeys(columns))
        for keys in (partitions, new, maturing)
    )
    # Four sums are made of these rows; the whole log is read for them once.
    with touched_rows(everything, fresh, ripe, design, since=since, until=until).cache() as rows:
        past = rows.filter(rows[PARTITION_KEY].isin(list(base.partitions)))
        before = count_log(past, design, as_of=base.as_of, decided_at=decided_at, waves=waves)
        now = count_log(rows, design, as_of=as_of, decided_at=decided_at, waves=waves)
    return carry_on(base.running, before, now)
