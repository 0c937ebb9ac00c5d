"""One window of an experiment, from its sums to what is in force afterwards.

What belongs here: putting checks, posterior, decision, shares and lift together. What does not: any of their formulas.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from include.experiments.checks import Check, check_maturity, check_minimum_units, check_sample_ratio
from include.experiments.deciding import Decision, decide
from include.experiments.definition import Rules
from include.experiments.lift import Lift, measure_lift
from include.experiments.posteriors import Posterior, summarise_variants
from include.experiments.replay import VariantSum
from include.experiments.rewards import HOLDBACK, PILOT, REST

PROMISED = "promised"
REALISED = "realised"


def check_pilot(sums: Sequence[VariantSum], rules: Rules) -> list[Check]:
    """Ask everything that must hold before a decision."""
    pilot = {name: _sum_of(sums, PILOT, name) for name in rules.variants}
    n_units = {name: part.n_units for name, part in pilot.items()}
    n_mature = {name: part.n_mature for name, part in pilot.items()}
    return [
        check_sample_ratio(n_units, rules.expected_shares, rules.sample_ratio_alpha),
        check_maturity(sum(n_units.values()), sum(n_mature.values())),
        check_minimum_units(n_mature, rules.minimum_units),
    ]


def summarise_pilot(sums: Sequence[VariantSum], rules: Rules) -> dict[str, Posterior]:
    """Say how good each variant was in the pilot, as far as its units are mature."""
    pilot = [_sum_of(sums, PILOT, name) for name in rules.variants]
    posteriors = summarise_variants(
        np.array([part.n_mature for part in pilot]), np.array([part.n_rewarded for part in pilot])
    )
    return dict(zip(rules.variants, posteriors, strict=True))


def decide_window(
    checks: Sequence[Check], posteriors: Mapping[str, Posterior], rules: Rules, *, is_pilot_over: bool
) -> Decision:
    """Decide by the problem's rules."""
    return decide(
        checks,
        posteriors,
        is_pilot_over=is_pilot_over,
        control=rules.control,
        decide_at_probability=rules.decide_at_probability,
    )


def allocate_next(decision: Decision, rules: Rules, *, is_pilot_over: bool) -> tuple[str, dict[str, float]]:
    """Say which share of the next window's units gets which variant.

    Returns:
        the phase the next window is in, and a share per variant, summing to 1. Between the pilot and the decision the
        control is sent; afterwards the decided variant, with the control for the units held back.
    """
    if not is_pilot_over:
        return PILOT, dict(rules.expected_shares)
    sent = decision.variant or rules.control
    if sent == rules.control:
        return REST, {rules.control: 1.0}
    return REST, {sent: 1.0 - rules.holdback_share, rules.control: rules.holdback_share}


def compare_lifts(sums: Sequence[VariantSum], decision: Decision, rules: Rules) -> dict[str, Lift]:
    """Compare what the winner promised in the pilot with what it added to the rest.

    Returns:
        `promised` (pilot: winner against control) and `realised` (rest with the winner against the holdback with the
        control), each as soon as both of its sides have mature units; nothing unless a variant beat the control.
    """
    if not decision.is_final or decision.variant is None or decision.variant == rules.control:
        return {}
    pairs = {PROMISED: (PILOT, PILOT), REALISED: (REST, HOLDBACK)}
    lifts = {}
    for kind, (variant_phase, control_phase) in pairs.items():
        sent, held = _sum_of(sums, variant_phase, decision.variant), _sum_of(sums, control_phase, rules.control)
        if sent.n_mature and held.n_mature:
            lifts[kind] = measure_lift(sent.n_mature, sent.n_rewarded, held.n_mature, held.n_rewarded)
    return lifts


def _sum_of(sums: Sequence[VariantSum], phase: str, variant: str) -> VariantSum:
    """Find the sums of one phase and variant; nobody is a sum too."""
    for part in sums:
        if (part.phase, part.variant) == (phase, variant):
            return part
    return VariantSum(phase, variant, 0, 0, 0, 0)
