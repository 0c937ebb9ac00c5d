"""Which ranges of places were in force at which time of the waves, and which exposures followed them.

What belongs here: published ranges in, an answer for each unit on the engine out. What does not: making the shares
(`allocation/`), and publishing them (`store.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from zlib import crc32

import ibis
import ibis.expr.types as ir
import numpy as np
from sqlalchemy import RowMapping

from include.experiments.assignment import is_placed_below
from include.partition_keys import partition_bounds


@dataclass(frozen=True)
class WaveRange:
    """From `start` and before `end`, units whose place lies from `low` on and below `high` were sent the variant."""

    start: datetime
    end: datetime
    variant: str
    low: float
    high: float


def ranges_in_force(rows: Sequence[RowMapping], grain: str, trial_end: datetime) -> list[WaveRange]:
    """Say when each published range was in force: from the end of its window to the end of the next one.

    Args:
        rows: of `core.allocation`, those of a window together, oldest window first.
        grain: hour, day or month.
        trial_end: the last of them end here.

    Returns:
        one for each row.
    """
    keys = list(dict.fromkeys(str(row["partition_key"]) for row in rows))
    ends = [partition_bounds(key, grain)[1] for key in keys]
    spans = dict(zip(keys, zip(ends, [*ends[1:], trial_end], strict=False), strict=False))
    return [
        WaveRange(*spans[str(row["partition_key"])], str(row["variant"]), float(row["low"]), float(row["high"]))
        for row in rows
    ]


def follows_wave(units: ir.Table, waves: Sequence[WaveRange], salt: str) -> ir.BooleanValue:
    """Tell of each unit whether it was sent what its wave's ranges give to its place.

    Args:
        units: columns unit, variant and exposed_at (UTC without a zone).
        waves: ranges in force.
        salt: the experiment's.

    Returns:
        false also for who was exposed while no range was in force.

    Source: as `off_policy_replay.py`: a record made before the waves tells of them by the units that agree.
    """
    answers = [
        (units.exposed_at >= _naive(wave.start))
        & (units.exposed_at < _naive(wave.end))
        & (units.variant == wave.variant)
        & is_placed_below(units.unit, salt, wave.high)
        & ~is_placed_below(units.unit, salt, wave.low)
        for wave in waves
    ]
    return reduce(or_, answers, ibis.literal(False))


def wave_seed(salt: str, partition_key: str) -> np.random.Generator:
    """Draw with the same numbers whenever a window is computed: the shares do not change by looking again."""
    return np.random.default_rng(crc32(f"{salt}:{partition_key}".encode()))


def _naive(moment: datetime) -> ir.TimestampScalar:
    """Write a moment as the zoneless UTC that exposures are compared by."""
    return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")
