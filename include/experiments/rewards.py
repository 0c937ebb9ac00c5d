"""What each variant brought, as of a moment: rows become sums here, on the engine.

What belongs here: who was exposed to what, whose time is up, who was rewarded in time, and what cannot be counted.
What does not: which of the sums a policy may use (`off_policy_replay.py`), and what they mean (`checks.py`,
`posteriors.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from include.experiments.assignment import is_placed_below
from include.experiments.design import Design
from include.experiments.participation import IS_ELIGIBLE, ask_eligibility, reason_not_to_take_part
from include.experiments.waves import WaveRange, follows_wave

PILOT = "pilot"
WAVE = "wave"
REST = "rest"
HOLDBACK = "holdback"

# Of a reward that counts: no reason to leave it out, but what those left out are compared with.
COUNTED_REWARD = "counted_reward"
NAMELESS = "record_without_unit"


@dataclass(frozen=True)
class ClusterSum:
    """Sums over the clusters of one phase and variant, which add up over any of them; columns of `core.variant_sum`.

    Attributes:
        n_clusters: that have exposed units.
        n_mature_clusters: that have mature ones, m of which y are rewarded.
        sum_mature_squares, sum_mature_rewarded, sum_rewarded_squares: sum m², sum m y, sum y².
    """

    n_clusters: int
    n_mature_clusters: int
    sum_mature_squares: float
    sum_mature_rewarded: float
    sum_rewarded_squares: float

    def __add__(self, other: "ClusterSum") -> "ClusterSum":
        """Add the clusters of another part, as if none were in both."""
        return ClusterSum(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class UnitSum:
    """Units of one phase and recorded variant, apart by whether they were exposed before the policy was in force.

    Attributes:
        is_after_decision: whether they were exposed when the decision was in force, or in a wave to what its shares
            gave them; never in the pilot.
        n_units: units exposed.
        n_mature: of these, units whose attribution window has elapsed.
        n_rewarded: of these, units with a reward inside their window.
        clusters: sums over what was drawn together; without clusters a unit is its own.
    """

    phase: str
    variant: str
    is_after_decision: bool
    n_units: int
    n_mature: int
    n_rewarded: int
    clusters: ClusterSum | None = None


@dataclass(frozen=True)
class Exclusion:
    """Units or log rows of one reason; columns of `core.experiment_exclusion`.

    Attributes:
        reason: why they cannot be counted.
        variant: as the log writes it, known or not; empty where there is none.
        seen_on: UTC day, 2004-11-01.
        n_rows: how many.
        is_trial: whether the unit was first exposed before the end of pilot and waves; of rows without a known
            exposure, whether the row is of that time; of rows without a unit, also whether it is not before the start.
    """

    reason: str
    variant: str
    seen_on: str
    n_rows: int
    is_trial: bool = True


def read_sightings(events: ir.Table, design: Design) -> ir.Table:
    """Reduce log rows to what an experiment looks at: who, what, which variant, when (UTC), and whether eligible."""
    events = ask_eligibility(events, design)
    kinds = [design.exposure, design.reward]
    return events.filter(events[design.event].isin(kinds)).select(
        unit=events[design.unit].cast("string"),
        cluster=events[design.cluster or design.unit].cast("string"),
        is_exposure=events[design.event] == design.exposure,
        variant=events[design.variant].cast("string"),
        is_eligible=events[IS_ELIGIBLE] if design.eligible is not None else ibis.literal(True),
        # Zoned or not, a lake's time is UTC; without a zone every engine compares it the same way.
        seen_at=events[design.event_time].cast("timestamp(6)"),
    )


def find_units(sightings: ir.Table, design: Design, waves: Sequence[WaveRange] = ()) -> ir.Table:
    """Give one row per exposed unit: its first exposure, its variant, and whether it can be counted at all.

    A unit seen with two variants, or with one that the problem file does not name, is kept with `problem` set: what
    it would have done under one variant nobody knows. So is a unit of which no exposure is the experiment's own, by its
    slice of a layer, by its predicate, or by its time; where one is, the others are as if they were not, but that
    `left_out_at` says when the first of them was. Who was first exposed in the pilot or a wave belongs to it for ever:
    what they are sent after it, by the decision or otherwise, takes no evidence away.
    """
    n_periods = len(waves) + 3
    exposures = sightings.filter(sightings.is_exposure & sightings.unit.notnull())
    exposures = exposures.mutate(reason=reason_not_to_take_part(exposures, design))
    exposures = exposures.mutate(
        # After all others, so that it counts only where there is no other.
        period=ibis.ifelse(exposures.reason.notnull(), n_periods, _period_of(exposures.seen_at, design, waves)),
        is_unknown=~exposures.variant.isin(list(design.variants)).fill_null(False),
    )
    phases = exposures.group_by("unit", "period").agg(
        exposed_at=exposures.seen_at.min(),
        cluster=exposures.cluster.min(),
        variant=exposures.variant.min(),
        n_variants=exposures.variant.nunique(),
        n_unknown=exposures.is_unknown.cast("int64").sum(),
        unknown=exposures.variant.min(where=exposures.is_unknown),
        reason=exposures.reason.min(),
    )
    first = phases.group_by("unit").agg(
        first_period=phases.period.min(), left_out_at=phases.exposed_at.min(where=phases.period == n_periods)
    )
    units = phases.join(first, "unit")
    units = units.filter(units.period == units.first_period)
    return units.select(
        unit=units.unit,
        # Whose cluster nobody knows stands alone.
        cluster=ibis.coalesce(units.cluster, units.unit),
        exposed_at=units.exposed_at,
        left_out_at=units.left_out_at,
        variant=ibis.ifelse(units.n_unknown > 0, units.unknown, units.variant),
        problem=ibis.cases(
            # Of whom the experiment does not have, it asks no variant.
            (units.reason.notnull(), units.reason),
            (units.n_unknown > 0, "exposure_to_unknown_variant"),
            (units.n_variants > 1, "unit_in_two_variants"),
            else_=ibis.null("string"),
        ),
    )


def _period_of(seen_at: ir.TimestampColumn, design: Design, waves: Sequence[WaveRange]) -> ir.IntegerColumn:
    """Number the pilot 0, the waves from 1 on, and the rest as the last."""
    edges = sorted({design.pilot_end, design.trial_end, *(wave.start for wave in waves)})
    return reduce(add, [(seen_at >= naive_utc(edge)).cast("int64") for edge in edges])


def sightings_until(events: ir.Table, design: Design, as_of: datetime) -> ir.Table:
    """Reduce log rows to what an experiment looks at, as far as it is known at a moment."""
    sightings = read_sightings(events, design)
    return sightings.filter(sightings.seen_at < naive_utc(as_of))


def sum_found(
    units: ir.Table,
    rewards: ir.Table,
    design: Design,
    *,
    as_of: datetime,
    decided_at: datetime | None,
    waves: Sequence[WaveRange] = (),
) -> ir.Table:
    """Sum units as of a moment, where it is known what they did.

    Args:
        units, rewards: from `find_units` and `match_rewards`, of what is known at that moment.
        design: who is counted.
        as_of: what happens at this moment or later is not known yet; UTC.
        decided_at: exposures from here on follow the decision; None while there is none.
        waves: ranges that were in force between pilot and decision.

    Returns:
        the columns of `UnitSum`, and of `ClusterSum` where the design has clusters.
    """
    good = _judge_units(units, rewards, design, as_of)
    is_after = ibis.literal(False) if decided_at is None else good.exposed_at >= naive_utc(decided_at)
    phase = ibis.cases(
        (good.exposed_at < naive_utc(design.pilot_end), PILOT),
        (good.exposed_at < naive_utc(design.trial_end), WAVE),
        (is_placed_below(good.unit, design.salt, design.holdback_share), HOLDBACK),
        else_=REST,
    )
    flagged = good.select(
        cluster=good.cluster,
        variant=good.variant,
        phase=phase,
        is_after_decision=ibis.cases(
            (phase == PILOT, False), (phase == WAVE, follows_wave(good, waves, design.salt)), else_=is_after
        ),
        is_mature=good.is_mature,
        is_rewarded=good.is_rewarded,
    )
    keys = ["phase", "variant", "is_after_decision"]
    counted = {
        "n_units": flagged.count(),
        "n_mature": flagged.is_mature.sum(),
        "n_rewarded": flagged.is_rewarded.sum(),
    }
    if design.cluster is None:
        return flagged.group_by(*keys).agg(**counted)
    return _sum_clusters(flagged.group_by(*keys, "cluster").agg(**counted), keys)


def _sum_clusters(clusters: ir.Table, keys: list[str]) -> ir.Table:
    """Sum counts of clusters, and what their variance needs."""
    m, y = clusters.n_mature.cast("float64"), clusters.n_rewarded.cast("float64")
    return clusters.group_by(*keys).agg(
        n_units=clusters.n_units.sum(),
        n_mature=clusters.n_mature.sum(),
        n_rewarded=clusters.n_rewarded.sum(),
        n_clusters=clusters.count(),
        n_mature_clusters=(clusters.n_mature > 0).sum(),
        sum_mature_squares=(m * m).sum(),
        sum_mature_rewarded=(m * y).sum(),
        sum_rewarded_squares=(y * y).sum(),
    )


def find_mature_units(
    events: ir.Table, design: Design, *, as_of: datetime, waves: Sequence[WaveRange] = ()
) -> ir.Table:
    """Give every unit that can be counted and whose time is up, with what came of it.

    Args:
        events: log rows.
        design, as_of, waves: as for `sum_found`.

    Returns:
        columns unit, variant, exposed_at and is_rewarded.
    """
    sightings = read_sightings(events, design)
    sightings = sightings.filter(sightings.seen_at < naive_utc(as_of))
    units = find_units(sightings, design, waves)
    judged = _judge_units(units, match_rewards(sightings, units, design), design, as_of)
    return judged.filter(judged.is_mature).select("unit", "variant", "exposed_at", "is_rewarded")


def find_pilot_units(events: ir.Table, design: Design, *, as_of: datetime) -> ir.Table:
    """Give every unit of the pilot that can be counted, mature or not.

    Args:
        events: log rows.
        design, as_of: as for `sum_found`.

    Returns:
        columns unit, cluster, variant and exposed_at.
    """
    sightings = read_sightings(events, design)
    units = find_units(sightings.filter(sightings.seen_at < naive_utc(as_of)), design)
    is_counted = units.problem.isnull() & (units.exposed_at < naive_utc(design.pilot_end))
    return units.filter(is_counted).select("unit", "cluster", "variant", "exposed_at")


def _judge_units(units: ir.Table, rewards: ir.Table, design: Design, as_of: datetime) -> ir.Table:
    """Say of every unit that can be counted whether its time is up, and whether it was rewarded until then."""
    window = ibis.interval(seconds=int(design.attribution_window.total_seconds()))
    good = units.filter(units.problem.isnull())
    rewarded = rewards.filter(rewards.reason == COUNTED_REWARD).select(rewarded_unit="unit").distinct()
    good = good.left_join(rewarded, good.unit == rewarded.rewarded_unit)
    is_mature = good.exposed_at + window <= naive_utc(as_of)
    return good.mutate(is_mature=is_mature, is_rewarded=is_mature & good.rewarded_unit.notnull())


def match_rewards(sightings: ir.Table, units: ir.Table, design: Design) -> ir.Table:
    """Give one row per reward in the log, with the reason why it does not count, or that it does.

    A reward before its unit's exposure is early where nothing explains it. What lies before the start, comes of an
    exposure that is none of the experiment's, or is asked as a covariate, is the unit's past.
    """
    rewards = sightings.filter(~sightings.is_exposure & sightings.unit.notnull()).select("unit", "seen_at")
    units = units.select("exposed_at", "left_out_at", "problem", exposed_unit="unit", exposed_variant="variant")
    matched = rewards.left_join(units, rewards.unit == units.exposed_unit)
    is_past = (matched.seen_at >= matched.left_out_at).fill_null(False) | ibis.literal(design.asks_past_rewards)
    if design.start is not None:
        is_past |= matched.seen_at < naive_utc(design.start)
    window = ibis.interval(seconds=int(design.attribution_window.total_seconds()))
    return matched.select(
        unit=matched.unit,
        variant=matched.exposed_variant,
        seen_at=matched.seen_at,
        began_at=ibis.coalesce(matched.exposed_at, matched.seen_at),
        reason=ibis.cases(
            (matched.exposed_unit.isnull(), "reward_without_exposure"),
            (matched.problem.notnull(), "reward_of_left_out_unit"),
            ((matched.seen_at < matched.exposed_at) & is_past, "reward_before_taking_part"),
            (matched.seen_at < matched.exposed_at, "reward_before_exposure"),
            (matched.seen_at >= matched.exposed_at + window, "reward_after_window"),
            else_=COUNTED_REWARD,
        ),
    )


def count_exclusions(sightings: ir.Table, units: ir.Table, rewards: ir.Table, design: Design) -> ir.Table:
    """Count what was left out, and the rewards that were not, by reason, variant, day and whether of the trial."""
    columns = ["reason", "variant", "seen_at", "began_at"]
    nameless = sightings.filter(sightings.unit.isnull())
    nameless = nameless.mutate(reason=ibis.literal(NAMELESS), began_at=nameless.seen_at)
    bad = units.filter(units.problem.notnull())
    bad = bad.select(reason="problem", variant="variant", seen_at="exposed_at", began_at="exposed_at")
    left_out = nameless.select(*columns).union(bad).union(rewards.select(*columns))
    is_trial = left_out.began_at < naive_utc(design.trial_end)
    if design.start is not None:
        # Units and rewards of another time have reasons that say so; a row without a unit has none.
        is_trial &= (left_out.reason != NAMELESS) | (left_out.began_at >= naive_utc(design.start))
    left_out = left_out.select(
        reason=left_out.reason,
        variant=left_out.variant.fill_null(""),
        seen_on=left_out.seen_at.strftime("%Y-%m-%d"),
        is_trial=is_trial,
    )
    return left_out.group_by("reason", "variant", "seen_on", "is_trial").agg(n_rows=left_out.count())


def naive_utc(moment: datetime) -> ir.TimestampScalar:
    """Write a moment as the zoneless UTC that the sums compare by."""
    return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None), type="timestamp(6)")


def read_unit_sum(row: Mapping[str, Any]) -> UnitSum:
    """Read one row of the sums."""
    own = {name: row[name] for name in UnitSum.__dataclass_fields__ if name != "clusters"}
    if "n_clusters" not in row:
        return UnitSum(**own)
    return UnitSum(**own, clusters=ClusterSum(**{name: row[name] for name in ClusterSum.__dataclass_fields__}))
