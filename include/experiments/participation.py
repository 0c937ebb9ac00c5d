"""Who takes part in an experiment at all: its slice of a layer, who is eligible, and when.

What belongs here: exposures in, the reason why one is none of the experiment's out. What does not: what a unit did
(`rewards.py`), and which slices there may be (`problems/sections/layers.py`).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import ibis
import ibis.expr.types as ir

from include.engine.predicates import add_predicates
from include.engine.session import open_engine
from include.experiments.assignment import is_placed_below
from include.experiments.design import Design

# No column of a log begins like this.
IS_ELIGIBLE = "_is_eligible"

HELD_OUT = "unit_in_holdout"
OUTSIDE_SLICE = "unit_outside_slice"
NOT_ELIGIBLE = "unit_not_eligible"
BEFORE_START = "exposure_before_start"
AFTER_END = "exposure_after_end"
WHILE_PAUSED = "exposure_while_paused"
REASONS = (HELD_OUT, OUTSIDE_SLICE, NOT_ELIGIBLE, BEFORE_START, AFTER_END, WHILE_PAUSED)


def ask_eligibility(events: ir.Table, design: Design) -> ir.Table:
    """Say of every log row whether it is eligible, where the file asks that; a second time changes nothing.

    Raises:
        BadProblem: the predicate cannot be asked of these columns.
    """
    if design.eligible is None or IS_ELIGIBLE in events.columns:
        return events
    return add_predicates(events, {IS_ELIGIBLE: design.eligible})


def reason_not_to_take_part(exposures: ir.Table, design: Design) -> ir.StringValue:
    """Say why an exposure is none of the experiment's; null where it is one.

    Args:
        exposures: columns unit, is_eligible and seen_at (UTC without a zone).
        design: whose slice, predicate and time are asked; one that has none takes everybody.

    Returns:
        one of `REASONS`: what is true of a unit for ever before what is true of one exposure.
    """
    reasons: list[tuple[ir.BooleanValue, str]] = []
    if (part := design.slice) is not None:
        unit, salt = exposures.unit, part.salt
        is_inside = is_placed_below(unit, salt, part.high) & ~is_placed_below(unit, salt, part.low)
        reasons += [(~is_placed_below(unit, salt, 1.0 - part.holdout), HELD_OUT), (~is_inside, OUTSIDE_SLICE)]
    if design.eligible is not None:
        reasons.append((~exposures.is_eligible, NOT_ELIGIBLE))
    if design.start is not None:
        reasons.append((exposures.seen_at < _naive(design.start), BEFORE_START))
    if design.end is not None:
        reasons.append((exposures.seen_at >= _naive(design.end), AFTER_END))
    for since, until in design.pauses:
        is_paused = exposures.seen_at >= _naive(since)
        reasons.append((is_paused if until is None else is_paused & (exposures.seen_at < _naive(until)), WHILE_PAUSED))
    return ibis.cases(*reasons, else_=ibis.null("string")) if reasons else ibis.null("string")


def own_exposures(events: ir.Table, design: Design, *columns: str) -> ir.Table:
    """Select the exposures of known units that are the experiment's own.

    Args:
        events: log rows.
        design: whose slice, predicate and time are asked.
        columns: of the log, to keep.

    Returns:
        columns unit, is_eligible and seen_at (UTC without a zone), and those to keep.

    Raises:
        BadProblem: as `ask_eligibility`.
    """
    rows = ask_eligibility(events, design)
    rows = rows.filter((rows[design.event] == design.exposure) & rows[design.unit].notnull())
    exposures = rows.select(
        *columns,
        unit=rows[design.unit].cast("string"),
        is_eligible=rows[IS_ELIGIBLE] if design.eligible is not None else ibis.literal(True),
        seen_at=rows[design.event_time].cast("timestamp(6)"),
    )
    return exposures.filter(reason_not_to_take_part(exposures, design).isnull())


def end_when_full(events: ir.Table, design: Design, *, as_of: datetime) -> Design:
    """Give the design with its end, where as many units as it may have were exposed before a moment.

    Whoever was first exposed in the same microsecond as the last of them takes part, too: nothing in a log says who of
    them came first.

    Args:
        events: log rows.
        design: that may have a most of units.
        as_of: what happens at this moment or later is not known yet; UTC.

    Raises:
        BadProblem: as `ask_eligibility`.
    """
    if design.max_units is None:
        return design
    exposures = own_exposures(events, design)
    exposures = exposures.filter(exposures.seen_at < _naive(as_of))
    first = exposures.group_by("unit").agg(exposed_at=exposures.seen_at.min())
    last = first.order_by("exposed_at", "unit").limit(1, offset=design.max_units - 1).select("exposed_at")
    found = open_engine().to_pyarrow(last).to_pylist()
    if not found:
        return design
    end = found[0]["exposed_at"].replace(tzinfo=UTC) + timedelta(microseconds=1)
    return end_at(design, end)


def end_at(design: Design, end: datetime) -> Design:
    """Give the design with an end: its pilot, and its waves, are over by then, too."""
    return replace(design, end=end, pilot_end=min(design.pilot_end, end), trial_end=min(design.trial_end, end))


def _naive(moment: datetime) -> ir.TimestampScalar:
    """Write a moment as the zoneless UTC that exposures are compared by."""
    return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")
