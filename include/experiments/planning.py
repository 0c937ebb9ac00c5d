"""What an experiment could find, before anything is sent: how small an effect, how surely, and with how large a pilot.

What belongs here: traffic, a base rate and the file's rules in, numbers out; all pure. What does not: reading the
traffic (`traffic.py`), and the words (`scripts/plan_experiment.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from include.errors import BadExperiment
from include.experiments.allocation.draws import mean_rates
from include.experiments.design import Rules
from include.experiments.sending import KEEP_CONTROL

PILOT_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
POWER = 0.8
N_RUNS = 4_000
_SEED = 1_948


@dataclass(frozen=True)
class PilotSize:
    """What a pilot of one size comes to; errors are standard errors of the simulation.

    Attributes:
        share: of all units, 0..1.
        n_units: in the pilot.
        smallest_effect: difference of the rates that is claimed in 80 of 100 experiments; None where none is.
        finds_best, finds_best_error: how often the best variant is sent, 0..1.
        conversions, conversions_error: rewards of all units, pilot, rest and holdback together.
    """

    share: float
    n_units: int
    smallest_effect: float | None
    finds_best: float
    finds_best_error: float
    conversions: float
    conversions_error: float


def find_smallest_effect(base_rate: float, n_control: float, n_variant: float, level: float) -> float | None:
    """Say which difference above the control's rate is claimed in 80 of 100 experiments.

    Args:
        base_rate: of the control, above 0 and below 1.
        n_control, n_variant: mature units of both.
        level: 0..1, of the comparison.

    Returns:
        a difference of rates, or None where not even a variant that rewards everybody would be claimed so often.

    Source: the usual normal approximation, Fleiss, Levin and Paik 2003, section 4.2, without its continuity correction.
        A test simulates how often the bands that claim find it.
    """
    if min(n_control, n_variant) < 1:
        return None
    z = float(norm.isf((1.0 - level) / 2.0) + norm.ppf(POWER))

    def shortfall(effect: float) -> float:
        rate = base_rate + effect
        variance = base_rate * (1 - base_rate) / n_control + rate * (1 - rate) / n_variant
        return effect - z * math.sqrt(variance)

    largest = 1.0 - base_rate
    return None if shortfall(largest) < 0 else float(brentq(shortfall, 0.0, largest))


def size_pilots(
    rules: Rules, base_rate: float, lift: float, n_units: int, *, shares: Sequence[float] = PILOT_SHARES
) -> list[PilotSize]:
    """Try pilots of several sizes on the same imagined people.

    One variant brings `lift` more than the control, relatively, and every other what the control brings; which one it
    is does not matter, for all are drawn alike. After the pilot everybody but the holdback gets what is worth most by
    its mean under the prior that all variants share, less what it costs.

    Args:
        rules: of the file.
        base_rate: of the control, above 0 and below 1.
        lift: relative; 0.2 is a rate one fifth higher.
        n_units: in all, pilot included.
        shares: of them, in the pilot.

    Raises:
        BadExperiment: a rate or a number of units with which there is nothing to find.
    """
    if not 0.0 < base_rate < 1.0 or not 0.0 < base_rate * (1.0 + lift) <= 1.0 or lift == 0.0:
        rule = "a rate lies between 0 and 1, also that of the better variant, and the lift is not 0"
        raise BadExperiment(f"A base rate of {base_rate:g} with a lift of {lift:g} cannot be planned with: {rule}.")
    if n_units * min(shares) < len(rules.variants):
        raise BadExperiment(f"{n_units} units are too few to plan with: write how many there will be in all.")
    rates = np.full(len(rules.variants), base_rate)
    rates[next(index for index, name in enumerate(rules.variants) if name != rules.control)] *= 1.0 + lift
    return [_try_size(rules, rates, n_units, share) for share in shares]


def _try_size(rules: Rules, rates: NDArray[np.float64], n_units: int, share: float) -> PilotSize:
    """Simulate one size of pilot; every size draws from the same seed."""
    rng, control = np.random.default_rng(_SEED), list(rules.variants).index(rules.control)
    n_each = np.array([round(n_units * share * rules.expected_shares[name]) for name in rules.variants])
    costs = np.array([rules.price.costs.get(name, 0.0) for name in rules.variants])
    costs += np.where(np.arange(len(costs)) == control, 0.0, rules.price.switching_cost / rules.price.units_to_come)
    rewarded = rng.binomial(n_each, rates, size=(N_RUNS, len(rates)))
    worth = np.array([rules.price.value * mean_rates(one, n_each) for one in rewarded.astype(np.float64)]) - costs
    # A variant that was never rewarded is not sent; a tie goes to the control, and so does a dead heat.
    worth[(rewarded == 0) & (np.arange(len(rates)) != control)] = -np.inf
    margin = rules.price.equivalence * abs(rules.price.value) if rules.price.tie == KEEP_CONTROL else 0.0
    ahead = worth.max(axis=1) - worth[:, control]
    sent = np.where((ahead <= 0.0) | (ahead < margin), control, worth.argmax(axis=1))
    n_rest = n_units - n_each.sum()
    is_held = np.where(sent == control, 0.0, rules.holdback_share)
    each = float(n_each @ rates) + n_rest * ((1.0 - is_held) * rates[sent] + is_held * rates[control])
    true_worth = rules.price.value * rates - costs
    found = np.isclose(true_worth[sent], true_worth.max())
    n_others = [n for index, n in enumerate(n_each) if index != control]
    level = 1.0 - (1.0 - rules.claim_level) / len(n_others)
    return PilotSize(
        share=share,
        n_units=int(n_each.sum()),
        smallest_effect=find_smallest_effect(
            float(rates[control]), float(n_each[control]), float(min(n_others)), level
        ),
        finds_best=float(found.mean()),
        finds_best_error=float(found.std() / math.sqrt(N_RUNS)),
        conversions=float(each.mean()),
        conversions_error=float(each.std() / math.sqrt(N_RUNS)),
    )


def recommend_size(sizes: Sequence[PilotSize]) -> PilotSize:
    """Choose the smallest pilot that no larger one beats by more than the simulation's error."""
    best = max(sizes, key=lambda one: one.conversions)
    return min(
        (one for one in sizes if one.conversions >= best.conversions - 2.0 * best.conversions_error),
        key=lambda one: one.share,
    )
