"""One window of an experiment, from its sums to what is in force afterwards.

What belongs here: putting checks, posterior, decision, shares and lift together. What does not: any of their formulas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from include.experiments.allocation.rules import Windows, share_wave
from include.experiments.checks import (
    Check,
    check_maturity,
    check_minimum_rewards,
    check_minimum_units,
    check_sample_ratio,
)
from include.experiments.comparison import Comparison, Outcome, compare_with_control, spell_claim
from include.experiments.decision import WAIT, Decision, Evidence
from include.experiments.design import Rules
from include.experiments.exclusions import check_exclusions
from include.experiments.lift import Lift, measure_lift
from include.experiments.off_policy_replay import VariantSum
from include.experiments.posteriors import summarise_variants
from include.experiments.rewards import HOLDBACK, PILOT, REST, WAVE, Exclusion
from include.experiments.sending import choose_variant

HOLD = "hold"
PAUSED = "paused"
ENDED = "ended"
PROMISED = "promised"
REALISED = "realised"


@dataclass(frozen=True)
class VariantRow:
    """What is known of one variant in the pilot: a row of `core.experiment_variant`.

    Attributes:
        n_units, n_mature, n_rewarded: exposed, of these mature, of these rewarded.
        comparison: beside the control.
        best_probability: that its rate is the highest, 0..1.
        expected_loss: per unit against the best, in rewards or money.
        is_sent: whether the rest gets it.
    """

    variant: str
    n_units: int
    n_mature: int
    n_rewarded: int
    comparison: Comparison
    best_probability: float | None
    expected_loss: float | None
    is_sent: bool


def check_pilot(sums: Sequence[VariantSum], exclusions: Sequence[Exclusion], rules: Rules) -> list[Check]:
    """Ask everything that must hold before a decision."""
    pilot = {name: _sum_of(sums, PILOT, name) for name in rules.variants}
    n_drawn = {name: part.n_drawn for name, part in pilot.items()}
    n_mature = {name: part.n_mature for name, part in pilot.items()}
    return [
        # What was drawn is what has the shares: people of one household are not drawn one by one.
        check_sample_ratio(n_drawn, rules.expected_shares, rules.sample_ratio_alpha),
        # What was logged after the trial tells nothing of it, and would thin out what is wrong with it.
        check_exclusions(
            sum(part.n_units for part in sums if part.phase in (PILOT, WAVE)),
            [part for part in exclusions if part.is_trial],
            rules.exclusion_limit,
        ),
        check_maturity(*_count_trial(sums, rules)),
        check_minimum_units(n_mature, rules.minimum_units),
        check_minimum_rewards({name: part.n_rewarded for name, part in pilot.items()}, rules.minimum_rewards),
    ]


def _count_trial(sums: Sequence[VariantSum], rules: Rules) -> tuple[int, int]:
    """Count units of pilot and waves that are used, and of these the mature ones."""
    parts = [_sum_of(sums, phase, name) for phase in (PILOT, WAVE) for name in rules.variants]
    return sum(part.n_units - part.n_off_policy for part in parts), sum(part.n_mature for part in parts)


def weigh_pilot(sums: Sequence[VariantSum], rules: Rules) -> tuple[dict[str, Comparison], Evidence | None]:
    """Say how good each variant was in the pilot, as far as its units are mature.

    Returns:
        every variant beside the control; and what a decision is taken from, None while a variant has no mature unit.
    """
    outcomes = outcomes_of(sums, rules)
    compared = compare_with_control(outcomes, rules.control, rules.claim_level)
    if not all(outcome.n_mature for outcome in outcomes.values()):
        return compared, None
    # What is claimed rests on the pilot alone, whose shares no result has moved; what is sent on all that is known.
    trial = {name: _add_outcomes(one, _outcome_of(_sum_of(sums, WAVE, name))) for name, one in outcomes.items()}
    posteriors = summarise_variants(
        np.array([round(one.n_effective) for one in trial.values()]),
        np.array([round(one.n_rewarded / one.design_effect) for one in trial.values()]),
    )
    choice = choose_variant(trial, rules.control, rules.price)
    claim = spell_claim(outcomes, compared, rules.control, rules.claim_level)
    return compared, Evidence(dict(zip(outcomes, posteriors, strict=True)), compared, choice, claim)


def outcomes_of(sums: Sequence[VariantSum], rules: Rules) -> dict[str, Outcome]:
    """Read what came of the pilot's units, of each variant."""
    return {name: _outcome_of(_sum_of(sums, PILOT, name)) for name in rules.variants}


def _outcome_of(part: VariantSum) -> Outcome:
    """Read what came of a phase's units."""
    return Outcome(part.n_mature, part.n_rewarded, part.design_effect)


def _add_outcomes(pilot: Outcome, waves: Outcome) -> Outcome:
    """Put pilot and waves together, each as much worth as its own units."""
    n = pilot.n_mature + waves.n_mature
    effect = n / (pilot.n_effective + waves.n_effective) if n else 1.0
    return Outcome(n, pilot.n_rewarded + waves.n_rewarded, effect)


def tell_variants(
    sums: Sequence[VariantSum], compared: Mapping[str, Comparison], evidence: Evidence | None, decision: Decision
) -> list[VariantRow]:
    """Put everything that is known of each variant in the pilot side by side."""
    rows = []
    for name, comparison in compared.items():
        part = _sum_of(sums, PILOT, name)
        known = evidence.posteriors[name].best_probability if evidence else None
        loss = evidence.choice.losses[name] if evidence else None
        is_sent = decision.is_final and decision.variant == name
        counts = (part.n_units, part.n_mature, part.n_rewarded)
        rows.append(VariantRow(name, *counts, comparison, known, loss, is_sent))
    return rows


@dataclass(frozen=True)
class Range:
    """Units that get one variant; the columns of `core.allocation` without their window.

    Attributes:
        variant: missing, like all that follows, in hold, paused and ended.
        share_ratio: of the units, 0..1.
        low, high: units whose place lies from `low` on and below `high`; the ranges of a window touch, from 0 to 1.
        paused_since_utc: in paused, since when; None elsewhere.
    """

    phase: str
    variant: str | None
    share_ratio: float | None
    low: float | None
    high: float | None
    paused_since_utc: datetime | None = None


def allocate_next(
    decision: Decision,
    rules: Rules,
    *,
    is_pilot_over: bool,
    wave: tuple[int, Windows, np.random.Generator] | None = None,
    is_ended: bool = False,
    paused_since: datetime | None = None,
) -> list[Range]:
    """Say which of the next window's units get which variant.

    Args:
        decision: after this window.
        rules: of the file.
        is_pilot_over: whether the next window lies after the pilot.
        wave: where the next window is a wave, its number from 1 on, what the windows brought, and what draws.
        is_ended: whether the experiment is over: then its people are others', whatever was decided.
        paused_since: since when the file pauses it: nobody is sent anything meanwhile, whatever was decided. None
            where it does not.

    Returns:
        the pilot's shares while it runs, and those of the waves after it, unless a check holds; then, until something
        is decided, one range in hold, without a variant: a control sent to everybody could not be taken back.
        Afterwards the decided variant, with the control for the units held back, whose places are the lowest.
    """
    if is_ended:
        return [Range(ENDED, None, None, None, None)]
    if paused_since is not None:
        return [Range(PAUSED, None, None, None, None, paused_since)]
    if not is_pilot_over:
        # Also when a check fails: a pilot is stopped by people, whom its numbers show what is wrong.
        return lay_out(PILOT, rules.expected_shares)
    if wave is not None and rules.wave_rule is not None and decision.outcome == WAIT:
        number, windows, rng = wave
        shares = share_wave(windows, rules.wave_rule, rng).tolist()
        return lay_out(f"{WAVE} {number}", dict(zip(rules.variants, shares, strict=True)))
    if not decision.is_final or decision.variant is None:
        return [Range(HOLD, None, None, None, None)]
    if decision.variant == rules.control:
        return lay_out(REST, {rules.control: 1.0})
    held = rules.holdback_share
    return lay_out(REST, {rules.control: held, decision.variant: 1.0 - held} if held else {decision.variant: 1.0})


def count_windows(past: Sequence[Mapping[str, tuple[int, int]]], sums: Sequence[VariantSum], rules: Rules) -> Windows:
    """Say what each window of pilot and waves brought, from running sums.

    Args:
        past: per earlier window, oldest first, each variant's mature and rewarded units until then.
        sums: of this window.
        rules: of the file.

    Returns:
        a row for each window. Where rows that came late made an earlier window larger, none is below 0.
    """
    parts = {name: [_sum_of(sums, phase, name) for phase in (PILOT, WAVE)] for name in rules.variants}
    now = {name: (sum(p.n_mature for p in both), sum(p.n_rewarded for p in both)) for name, both in parts.items()}
    running = np.array([[one.get(name, (0, 0)) for name in rules.variants] for one in [*past, now]], dtype=np.float64)
    new = np.maximum(np.diff(running, axis=0, prepend=0.0), 0.0)
    exposed = [sum(part.n_units - part.n_off_policy for part in both) for both in parts.values()]
    return Windows(np.minimum(new[:, :, 1], new[:, :, 0]), new[:, :, 0], np.array(exposed, dtype=np.float64))


def lay_out(phase: str, shares: Mapping[str, float]) -> list[Range]:
    """Lay shares side by side, from 0 to 1, in their order."""
    edges = [0.0, *np.cumsum(list(shares.values())).tolist()]
    edges[-1] = 1.0
    return [
        Range(phase, variant, share, low, high)
        for (variant, share), low, high in zip(shares.items(), edges[:-1], edges[1:], strict=True)
    ]


def compare_lifts(sums: Sequence[VariantSum], decision: Decision, rules: Rules) -> dict[str, Lift]:
    """Compare what the sent variant promised in the pilot with what it added to the rest.

    Returns:
        `promised` (pilot: winner against control) and `realised` (rest with the winner against the holdback with the
        control), each as soon as both of its sides have mature units; nothing while the control is what is sent.
    """
    if not decision.is_final or decision.variant is None or decision.variant == rules.control:
        return {}
    pairs = {PROMISED: (PILOT, PILOT), REALISED: (REST, HOLDBACK)}
    lifts = {}
    for kind, (variant_phase, control_phase) in pairs.items():
        sent, held = _sum_of(sums, variant_phase, decision.variant), _sum_of(sums, control_phase, rules.control)
        if sent.n_mature and held.n_mature:
            effects = (sent.design_effect, held.design_effect)
            lifts[kind] = measure_lift(sent.n_mature, sent.n_rewarded, held.n_mature, held.n_rewarded, effects)
    return lifts


def _sum_of(sums: Sequence[VariantSum], phase: str, variant: str) -> VariantSum:
    """Find the sums of one phase and variant; nobody is a sum too."""
    for part in sums:
        if (part.phase, part.variant) == (phase, variant):
            return part
    return VariantSum(phase, variant, 0, 0, 0, 0)
