"""Sums of a window from those of the window before: only units whose answer can have changed are counted again.

What belongs here: which units those are, and adding up. What does not: how units are counted (`rewards.py`), opening
the log (`reward_log.py`), and keeping sums (`running_store.py`).

Every count is a sum over units, and a unit's part changes only where a row of it came, or where its attribution window
elapsed since. So S(now) = S(before) - S(before, of these units) + S(now, of these units), exactly.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

import ibis.expr.types as ir

from include.engine.session import open_engine
from include.experiments.design import Design
from include.experiments.rewards import (
    Exclusion,
    UnitSum,
    count_exclusions,
    find_units,
    match_rewards,
    naive_utc,
    read_unit_sum,
    sightings_until,
    sum_found,
)
from include.experiments.waves import WaveRange


@dataclass(frozen=True)
class RunningSums:
    """What a window counted.

    Attributes:
        sums: by phase, variant and whether the policy was in force, in that order.
        exclusions: what was left out, and the rewards that count, in the order of their fields.
    """

    sums: Sequence[UnitSum]
    exclusions: Sequence[Exclusion]


@dataclass(frozen=True)
class Base:
    """An earlier window to go on from.

    Attributes:
        running: what it counted.
        partitions: whose rows it read.
        as_of: its end; UTC.
    """

    running: RunningSums
    partitions: Sequence[str]
    as_of: datetime


def count_log(
    events: ir.Table,
    design: Design,
    *,
    as_of: datetime,
    decided_at: datetime | None,
    waves: Sequence[WaveRange] = (),
) -> RunningSums:
    """Count log rows as of a moment.

    Args:
        events: log rows.
        design, as_of, decided_at, waves: as for `sum_found`.
    """
    engine, sightings = open_engine(), sightings_until(events, design, as_of)
    # Sums and exclusions both ask who the units are and what they did: that is found once.
    with (
        find_units(sightings, design, waves).cache() as units,
        match_rewards(sightings, units, design).cache() as rewards,
    ):
        sums = sum_found(units, rewards, design, as_of=as_of, decided_at=decided_at, waves=waves)
        counted = [read_unit_sum(row) for row in engine.to_pyarrow(sums).to_pylist()]
        exclusions = count_exclusions(sightings, units, rewards, design)
        left_out = [Exclusion(**row) for row in engine.to_pyarrow(exclusions).to_pylist()]
    return _in_order(counted, left_out)


def touched_rows(
    everything: ir.Table, new: ir.Table, maturing: ir.Table, design: Design, *, since: datetime, until: datetime
) -> ir.Table:
    """Select the rows of units whose answer can have changed, and the new rows that name no unit.

    Args:
        everything: log rows until now.
        new: rows since the base.
        maturing: rows, among them all exposures of units whose window elapsed since the base.
        design: names of columns.
        since, until: these were exposed after the one, and not after the other; UTC.
    """
    seen_at = maturing[design.event_time].cast("timestamp(6)")
    is_between = (seen_at > naive_utc(since)) & (seen_at <= naive_utc(until))
    exposed = maturing.filter((maturing[design.event] == design.exposure) & is_between)
    units = new.select(design.unit).union(exposed.select(design.unit)).distinct()
    nameless = new.filter(new[design.unit].isnull())
    return everything.semi_join(units, design.unit).union(nameless)


def carry_on(base: RunningSums, before: RunningSums, now: RunningSums) -> RunningSums:
    """Take what the touched units were counted as out of the sums, and put in what they are counted as now.

    Args:
        base: of all units, earlier.
        before, now: of the touched units, as of the base and now.

    Returns:
        of all units, now; what counts nothing any more has no row.
    """
    counts = {name: Counter[tuple[str, str, bool]]() for name in ("n_units", "n_mature", "n_rewarded")}
    left_out: Counter[tuple[str, str, str, bool]] = Counter()
    for sign, part in ((1, base), (-1, before), (1, now)):
        for one in part.sums:
            for name, counted in counts.items():
                counted[one.phase, one.variant, one.is_after_decision] += sign * getattr(one, name)
        for row in part.exclusions:
            left_out[row.reason, row.variant, row.seen_on, row.is_trial] += sign * row.n_rows
    sums = [
        UnitSum(*key, n, counts["n_mature"][key], counts["n_rewarded"][key])
        for key, n in counts["n_units"].items()
        if n
    ]
    kept = [Exclusion(*key[:3], n_rows=n, is_trial=key[3]) for key, n in left_out.items() if n]
    return _in_order(sums, kept)


def name_state(
    design: Design,
    files: Sequence[str],
    *,
    as_of: datetime,
    decided_at: datetime | None,
    waves: Sequence[WaveRange],
) -> str:
    """Name what a window's sums rest on: where the name is another one, they cannot be gone on from.

    What is in force only after the window's end does not belong to it.

    Args:
        design: who is counted.
        files: that held the rows.
        as_of: end of the window.
        decided_at, waves: in force.

    Returns:
        64 hexadecimal digits.
    """
    known = None if decided_at is None or decided_at >= as_of else decided_at
    ranges = [(one.start, min(one.end, as_of), one.variant, one.low, one.high) for one in waves if one.start < as_of]
    parts = [asdict(design), sorted(files), as_of, known, ranges]
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def to_document(running: RunningSums) -> dict[str, list[dict[str, object]]]:
    """Write sums without clusters for the warehouse."""
    sums = [{name: value for name, value in asdict(one).items() if name != "clusters"} for one in running.sums]
    return {"sums": sums, "exclusions": [asdict(one) for one in running.exclusions]}


def from_document(document: dict[str, list[dict[str, object]]]) -> RunningSums:
    """Read them again."""
    return RunningSums(
        [read_unit_sum(row) for row in document["sums"]],
        [Exclusion(**row) for row in document["exclusions"]],  # type: ignore[arg-type]
    )


def _in_order(sums: Sequence[UnitSum], exclusions: Sequence[Exclusion]) -> RunningSums:
    """Put rows into the order of what they are about."""
    return RunningSums(
        sorted(sums, key=lambda one: (one.phase, one.variant, one.is_after_decision)),
        sorted(exclusions, key=lambda one: (one.reason, one.variant, one.seen_on, one.is_trial)),
    )
