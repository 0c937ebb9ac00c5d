"""What is sent and claimed where a metric decides, and not whether a reward came.

What belongs here: comparisons of one metric in, evidence out. What does not: rates of rewards (`sending.py`).
"""

from collections.abc import Mapping

import numpy as np

from include.experiments.allocation.draws import N_DRAWS, best_probabilities, expected_loss
from include.experiments.comparison import spell_claim_by
from include.experiments.decision import Evidence
from include.experiments.metrics.comparison import MetricVariant
from include.experiments.posteriors import Posterior
from include.experiments.sending import KEEP_CONTROL, Choice, Price
from include.stats.ratio_sums import Estimate, difference_interval

_SEED = 2_016


def weigh_primary(
    compared: Mapping[str, MetricVariant],
    n_rewarded: Mapping[str, int],
    control: str,
    price: Price,
    level: float,
) -> Evidence | None:
    """Say what each variant is worth, as far as the primary metric tells.

    Each true mean is taken as normal around the mean of its units, with the variance that their sums give: of some
    hundred units and more that is what any prior comes to. The loss is E[max_j g_j] - E[g_i] with
    g_i = value * mean_i - cost_i - switching cost per unit to come, value counted against where lower is better.

    Args:
        compared: per variant, in the order of the file.
        n_rewarded: mature units per variant whose reward came.
        control: one of them.
        price: its value is that of one unit of the metric.
        level: of claims.

    Returns:
        None while a variant has no mean.

    Source: Stucchio 2015, "Bayesian A/B Testing at VWO", section 5; the normal posterior is the central limit theorem.
    """
    known = {name: one.estimate for name, one in compared.items() if one.estimate is not None}
    if len(known) < len(compared):
        return None
    names, is_lower = list(compared), compared[control].is_lower_better
    value, switching = -price.value if is_lower else price.value, price.switching_cost / price.units_to_come
    costs = np.array([price.costs.get(name, 0.0) + (0.0 if name == control else switching) for name in names])
    means = np.array([known[name].mean for name in names])
    errors = np.sqrt([known[name].variance for name in names])
    draws = np.random.default_rng(_SEED).normal(means, errors, size=(N_DRAWS, len(names)))
    losses = expected_loss(draws, np.full(len(names), value), costs)
    chances = best_probabilities(-draws if is_lower else draws)
    gains = dict(zip(names, (value * means - costs).tolist(), strict=True))
    # A variant of which nothing varied, such as one without any purchase, would only look certain.
    able = [name for name in names if name == control or known[name].variance > 0]
    best = max(able, key=lambda name: (gains[name], name == control))
    is_tie = best != control and gains[best] - gains[control] < price.equivalence * abs(price.value)
    sent = control if is_tie and price.tie == KEEP_CONTROL else best
    posteriors = {
        name: _posterior(compared[name], n_rewarded[name], float(chances[place]), float(losses[place]))
        for place, name in enumerate(names)
    }

    def is_above(first: str, second: str, alpha: float) -> bool:
        return _is_better(known[first], known[second], alpha, is_lower=is_lower)

    comparisons = {name: one.comparison for name, one in compared.items()}
    claim = spell_claim_by(comparisons, control, level, is_above)
    claim = f"In {compared[control].metric}: {claim}"
    return Evidence(
        posteriors, comparisons, Choice(sent, dict(zip(names, losses.tolist(), strict=True)), is_tie), claim
    )


def _is_better(first: Estimate, second: Estimate, alpha: float, *, is_lower: bool) -> bool:
    """Tell whether the first mean is shown to be better than the second."""
    ends = difference_interval(first, second, alpha)
    return ends is not None and (ends[1] < 0 if is_lower else ends[0] > 0)


def _posterior(one: MetricVariant, n_rewarded: int, best: float, loss: float) -> Posterior:
    """Write what is known of one variant as a page reads it; the mean is in the metric's unit."""
    seen = one.comparison
    mean = float(seen.rate_ratio or 0.0)
    low, high = (mean if end is None else end for end in (seen.rate_low, seen.rate_high))
    return Posterior(one.measured.n_mature, n_rewarded, mean, low, high, best, loss)
