"""Reads what a log says about policies that it did not follow: units summed by variant and propensity, on the engine.

What belongs here: which unit has which propensity. What does not: estimating (`evaluation/`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from include.engine.session import open_engine
from include.experiments.design import Design
from include.experiments.evaluation.policies import PropensitySum
from include.experiments.participation import own_exposures
from include.experiments.rewards import find_mature_units
from include.experiments.waves import WaveRange
from include.lake.reading import open_rows
from include.names import events_table


def read_cells(
    problem: str, partitions: Sequence[str], design: Design, *, as_of: datetime, waves: Sequence[WaveRange] = ()
) -> list[PropensitySum]:
    """Sum the mature units of some published partitions by variant and propensity.

    Args:
        problem: name of the problem.
        partitions: published partitions to read.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet.
        waves: ranges that were in force between pilot and decision.

    Returns:
        one for each variant and propensity; as many as there are units where each unit has a propensity of its own.
    """
    cells = sum_cells(open_rows(events_table(problem), partitions), design, as_of=as_of, waves=waves)
    return [PropensitySum(**row) for row in open_engine().to_pyarrow(cells).to_pylist()]


def sum_cells(events: ir.Table, design: Design, *, as_of: datetime, waves: Sequence[WaveRange] = ()) -> ir.Table:
    """Sum the mature units by variant and propensity: that of the exposure that counts, or the pilot's share.

    Of two exposures of one unit at one moment the smaller propensity counts. A missing one is 0: nobody may use it.

    Args:
        events: log rows.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet; UTC.
        waves: ranges that were in force between pilot and decision; an exposure in a later one is another exposure.

    Returns:
        the columns of `PropensitySum`.
    """
    units = find_mature_units(events, design, as_of=as_of, waves=waves)
    if design.propensity is None:
        pilot_end = ibis.literal(design.pilot_end.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")
        units = units.filter(units.exposed_at < pilot_end)
        shares = [(units.variant == variant, ibis.literal(share)) for variant, share in design.shares.items()]
        drawn = units.mutate(propensity=ibis.cases(*shares, else_=ibis.literal(0.0)))
    else:
        own = own_exposures(events, design, design.propensity)
        propensity = own[design.propensity].cast("float64").fill_null(0.0)
        exposures = own.select(seen_unit=own.unit, seen_at=own.seen_at, propensity=propensity)
        drawn = units.join(exposures, [units.unit == exposures.seen_unit, units.exposed_at == exposures.seen_at])
        drawn = drawn.group_by("unit", "variant", "is_rewarded").agg(propensity=drawn.propensity.min())
    return drawn.group_by("variant", "propensity").agg(n=drawn.count(), n_rewarded=drawn.is_rewarded.sum())
