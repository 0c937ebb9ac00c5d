"""What stands of an experiment when somebody is to be sent something: its shares, its plan, or why nobody is.

What belongs here: reading and judging that. What does not: who is asked about (`audience.py`, `choosing.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from include.experiments import store
from include.experiments.analysis import ENDED, HOLD, PAUSED, Range, lay_out
from include.experiments.assignment import HashRange
from include.experiments.design import Design, design_of, require_experiment, rules_of
from include.experiments.plan import find_plan, with_plan
from include.experiments.rewards import PILOT, REST
from include.problems.schema import Problem
from include.problems.sections.experiment import Experiment


@dataclass(frozen=True)
class Standing:
    """What stands.

    Attributes:
        phase: pilot, wave and its number, rest, hold, paused or ended; the last three list nobody.
        window_key: window that the shares are of; None before the first.
        plan_sha256, plan_version: that the shares are of.
        ranges: places of units, and what they get; none where nobody is listed.
        design: of that plan: salt, slice, who is eligible, start and end.
        held_variant: what the holdback of the rest keeps; None in other phases.
        told: the state in one sentence.
    """

    phase: str
    window_key: str | None
    plan_sha256: str
    plan_version: int
    ranges: Sequence[HashRange]
    design: Design
    held_variant: str | None
    told: str


def read_standing(connection: Connection, definition: Problem, name: str, now: datetime) -> Standing:
    """Say what stands: of the newest window, or, before the first one, the pilot as the file has it.

    A plan that no window was done with yet is written down as the next version, for units are listed by it.

    Args:
        definition: the problem as if this experiment were its only one.
        name: of the experiment.
        now: UTC.

    Raises:
        BadExperiment, UnknownPartitionKey: as `design_of`.
    """
    problem, written = definition.name, require_experiment(definition)
    window_key, ranges, plan_sha256 = store.read_in_force_now(connection, problem, name)
    if plan_sha256 is None:
        plan = find_plan(store.read_plans(connection, problem, name), written, definition.metrics, definition.layers)
        store.keep_plan(connection, problem, name, plan, now=now)
        plan_sha256 = plan.sha256
    version, document = store.read_plan_version(connection, problem, name, plan_sha256)
    planned = with_plan(definition, document)
    design, control = design_of(planned), rules_of(planned).control
    if window_key is None:
        is_over = now >= design.pilot_end
        ranges = [Range(HOLD, None, None, None, None)] if is_over else lay_out(PILOT, rules_of(planned).expected_shares)
    phase = _judge(written, ranges, now)
    sent = [HashRange(one.variant, one.low or 0.0, one.high or 0.0) for one in ranges if one.variant is not None]
    is_held = phase == REST and len(sent) > 1
    about = (window_key, plan_sha256, version, sent if phase not in (HOLD, PAUSED, ENDED) else [], design)
    return Standing(phase, *about, control if is_held else None, _tell(phase, window_key, written, now))


def _judge(written: Experiment, ranges: Sequence[Range], now: datetime) -> str:
    """Say which phase it is by the clock and by the file, which may have changed since the window was done."""
    if written.ends_at is not None and written.ends_at <= now:
        return ENDED
    if written.paused_since(now) is not None:
        return PAUSED
    if any(one.variant is not None and one.variant not in written.variants for one in ranges):
        return HOLD
    phase = ranges[0].phase
    # A pause that is over by the file, though no window was done since, leaves nothing to send by.
    return HOLD if phase == PAUSED else phase


def _tell(phase: str, window_key: str | None, written: Experiment, now: datetime) -> str:
    """Say the state in one sentence."""
    since = written.paused_since(now)
    window = f"window {window_key}" if window_key else "no window yet"
    if phase == PAUSED and since is not None:
        return f"Paused since {since:%Y-%m-%d %H:%M} UTC: nobody is listed. Land the audience again when it goes on."
    if phase == HOLD:
        return f"On hold ({window}): nothing is decided, and nobody is listed. Land the audience again afterwards."
    return f"Ended ({window}): nobody is listed." if phase == ENDED else f"In its phase {phase} ({window})."
