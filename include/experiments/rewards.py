"""What each variant brought, as of a moment: rows become sums here, on the engine.

What belongs here: who was exposed to what, whose time is up, who was rewarded in time, and what cannot be counted. What
does not: which of the sums a policy may use (`replay.py`), and what they mean (`checks.py`, `posteriors.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from include.experiments.assignment import is_placed_below
from include.experiments.definition import Design

PILOT = "pilot"
REST = "rest"
HOLDBACK = "holdback"


@dataclass(frozen=True)
class UnitSum:
    """Units of one phase and recorded variant, apart by whether they were exposed before the policy was in force.

    Attributes:
        is_after_decision: whether they were exposed when the decision was in force; never in the pilot.
        n_units: units exposed.
        n_mature: of these, units whose attribution window has elapsed.
        n_rewarded: of these, units with a reward inside their window.
    """

    phase: str
    variant: str
    is_after_decision: bool
    n_units: int
    n_mature: int
    n_rewarded: int


def read_sightings(events: ir.Table, design: Design) -> ir.Table:
    """Reduce log rows to what an experiment looks at: who, what, which variant, when (UTC)."""
    kinds = [design.exposure, design.reward]
    return events.filter(events[design.event].isin(kinds)).select(
        unit=events[design.unit].cast("string"),
        is_exposure=events[design.event] == design.exposure,
        variant=events[design.variant].cast("string"),
        # Zoned or not, a lake's time is UTC; without a zone every engine compares it the same way.
        seen_at=events[design.event_time].cast("timestamp(6)"),
    )


def find_units(sightings: ir.Table, design: Design) -> ir.Table:
    """Give one row per exposed unit: its first exposure, its variant, and whether it can be counted at all.

    A unit seen with two variants, or with one that the problem file does not name, is kept with `problem` set: what
    it would have done under one variant nobody knows.
    """
    exposures = sightings.filter(sightings.is_exposure & sightings.unit.notnull())
    units = exposures.group_by("unit").agg(
        exposed_at=exposures.seen_at.min(),
        variant=exposures.variant.min(),
        n_variants=exposures.variant.nunique(),
        is_known=exposures.variant.isin(list(design.variants)).fill_null(False).all(),
    )
    return units.mutate(
        problem=ibis.cases(
            (~units.is_known, "exposure_to_unknown_variant"),
            (units.n_variants > 1, "unit_in_two_variants"),
            else_=ibis.null("string"),
        )
    )


def sum_units(
    events: ir.Table, design: Design, *, as_of: datetime, decided_at: datetime | None
) -> tuple[ir.Table, ir.Table]:
    """Sum an experiment as of a moment.

    Args:
        events: log rows.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet; UTC.
        decided_at: exposures from here on follow the decision; None while there is none.

    Returns:
        two relations: the columns of `UnitSum`; and what was left out, by `reason` with `n_rows` (log rows or units).
    """
    now = _naive(as_of)
    sightings = read_sightings(events, design)
    sightings = sightings.filter(sightings.seen_at < now)
    units = find_units(sightings, design)
    rewards = _match_rewards(sightings, units, design)
    window = ibis.interval(seconds=int(design.attribution_window.total_seconds()))
    good = units.filter(units.problem.isnull())
    rewarded = rewards.filter(rewards.reason.isnull()).select(rewarded_unit="unit").distinct()
    good = good.left_join(rewarded, good.unit == rewarded.rewarded_unit)
    is_mature = good.exposed_at + window <= now
    is_after = ibis.literal(False) if decided_at is None else good.exposed_at >= _naive(decided_at)
    phase = ibis.cases(
        (good.exposed_at < _naive(design.pilot_end), PILOT),
        (is_placed_below(good.unit, design.salt, design.holdback_share), HOLDBACK),
        else_=REST,
    )
    flagged = good.select(
        variant=good.variant,
        phase=phase,
        is_after_decision=is_after & (phase != PILOT),
        is_mature=is_mature,
        is_rewarded=is_mature & good.rewarded_unit.notnull(),
    )
    sums = flagged.group_by("phase", "variant", "is_after_decision").agg(
        n_units=flagged.count(), n_mature=flagged.is_mature.sum(), n_rewarded=flagged.is_rewarded.sum()
    )
    return sums, _count_exclusions(sightings, units, rewards)


def _match_rewards(sightings: ir.Table, units: ir.Table, design: Design) -> ir.Table:
    """Give one row per reward in the log, with the reason why it does not count, if there is one."""
    rewards = sightings.filter(~sightings.is_exposure & sightings.unit.notnull()).select("unit", "seen_at")
    units = units.select(exposed_unit="unit", exposed_at="exposed_at", problem="problem")
    matched = rewards.left_join(units, rewards.unit == units.exposed_unit)
    window = ibis.interval(seconds=int(design.attribution_window.total_seconds()))
    return matched.select(
        unit=matched.unit,
        reason=ibis.cases(
            (matched.exposed_unit.isnull(), "reward_without_exposure"),
            (matched.problem.notnull(), "reward_of_left_out_unit"),
            (matched.seen_at < matched.exposed_at, "reward_before_exposure"),
            (matched.seen_at >= matched.exposed_at + window, "reward_after_window"),
            else_=ibis.null("string"),
        ),
    )


def _count_exclusions(sightings: ir.Table, units: ir.Table, rewards: ir.Table) -> ir.Table:
    """Count what was left out, by reason."""
    nameless = sightings.filter(sightings.unit.isnull()).select(reason=ibis.literal("record_without_unit"))
    left_out = nameless.union(units.filter(units.problem.notnull()).select(reason="problem"))
    left_out = left_out.union(rewards.filter(rewards.reason.notnull()).select("reason"))
    return left_out.group_by("reason").agg(n_rows=left_out.count()).order_by("reason")


def _naive(moment: datetime) -> ir.TimestampScalar:
    """Write a moment as the zoneless UTC that the sums compare by."""
    return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")
