"""Which variant loses least if everybody gets it: a question of money, which needs no proof.

What belongs here: what is known of the rates and what things cost in, one variant out. What does not: what may be
claimed (`comparison.py`), and whether anything may be decided at all (`decision.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from include.experiments.allocation.draws import draw_rates, expected_loss, mean_rates
from include.experiments.comparison import Outcome

KEEP_CONTROL, SEND_BEST, ASK = "keep_control", "send_best", "ask"
_SEED = 2_015


@dataclass(frozen=True)
class Price:
    """What sending is worth, in one unit of money.

    Attributes:
        value: of one reward.
        costs: of sending a variant to one unit; 0 where it is missing.
        switching_cost: once, for sending anything but the control.
        units_to_come: over which that is spread; at least 1.
        equivalence: a variant whose rate, after costs, is less than this above the control's is as good as it.
        tie: what is sent then: the control (keep_control), the better one all the same (send_best), or what a person
            says, who is asked about the better one (ask).
    """

    value: float = 1.0
    costs: Mapping[str, float] = field(default_factory=dict)
    switching_cost: float = 0.0
    units_to_come: int = 1
    equivalence: float = 0.0
    tie: str = KEEP_CONTROL


@dataclass(frozen=True)
class Choice:
    """What loses least.

    Attributes:
        variant: what to send, or to ask about.
        losses: expected loss per unit to come of each variant, in money, at least 0.
        is_tie: whether the best is not worth more than the equivalence above the control.
    """

    variant: str
    losses: Mapping[str, float]
    is_tie: bool


def choose_variant(outcomes: Mapping[str, Outcome], control: str, price: Price) -> Choice:
    """Find the variant of least expected loss, under a prior that all variants share.

    One that was never rewarded is not sent in place of the control: of few units, nothing at all would look promising.

    The loss of a variant is E[max_j g_j] - E[g_i] with g_i = value * rate_i - cost_i - switching cost per unit to come,
    so that the least loss has the largest E[g_i]. Where several have the same, the control is sent if it is one of
    them, else the first in the file.

    Args:
        outcomes: per variant, in the order of the file.
        control: one of them.
        price: what sending is worth.

    Source: Stucchio 2015, "Bayesian A/B Testing at VWO", section 5; the prior is the rate of all together, worth one
        reward.
    """
    names = list(outcomes)
    rewarded = np.array([one.n_rewarded / one.design_effect for one in outcomes.values()])
    units = np.array([one.n_effective for one in outcomes.values()])
    switching = price.switching_cost / price.units_to_come
    costs = np.array([price.costs.get(name, 0.0) + (0.0 if name == control else switching) for name in names])
    gains = dict(zip(names, (price.value * mean_rates(rewarded, units) - costs).tolist(), strict=True))
    able = [name for name in names if name == control or outcomes[name].n_rewarded]
    best = max(able, key=lambda name: (gains[name], name == control))
    is_tie = best != control and gains[best] - gains[control] < price.equivalence * abs(price.value)
    sent = control if is_tie and price.tie == KEEP_CONTROL else best
    draws = draw_rates(rewarded, units, np.random.default_rng(_SEED))
    losses = expected_loss(draws, np.full(len(names), price.value), costs)
    return Choice(sent, dict(zip(names, losses.tolist(), strict=True)), is_tie)
