"""The rules by which a wave's units are shared out, by the name that a problem file gives them.

What belongs here: which formula a name stands for, and which windows it sees. What does not: the formulas.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment
from include.experiments.allocation.ageing import discount_windows, keep_last_windows
from include.experiments.allocation.draws import best_probabilities, draw_rates, mean_rates
from include.experiments.allocation.thompson import keep_uniform, thompson, top_two
from include.experiments.allocation.upper_bound import epsilon_greedy, upper_confidence

Floats = NDArray[np.float64]

WAVES, TOP_TWO, EPSILON_GREEDY, UPPER_CONFIDENCE = "waves", "top_two", "epsilon_greedy", "upper_confidence"


@dataclass(frozen=True)
class WaveRule:
    """How a wave is shared out.

    Attributes:
        mode: waves, top_two, epsilon_greedy or upper_confidence.
        uniform_share: 0..1, of the units, that all arms share alike.
        discount: above 0, at most 1: how much a window counts of what the one after it counts.
        last_windows: how many windows count at all; None for all.
    """

    mode: str = WAVES
    uniform_share: float = 0.05
    discount: float = 1.0
    last_windows: int | None = None


@dataclass(frozen=True)
class Windows:
    """What each window brought.

    Attributes:
        rewarded, mature: shape (n_windows, n_arms), oldest first: units that became mature in the window, and of these
            the rewarded ones.
        exposed: shape (n_arms,), units sent so far, also those that have not answered.
    """

    rewarded: Floats
    mature: Floats
    exposed: Floats


def share_wave(windows: Windows, rule: WaveRule, rng: np.random.Generator) -> Floats:
    """Say which share of the next wave's units each arm gets.

    Args:
        windows: so far.
        rule: of the problem file.
        rng: of the draws; the same one gives the same shares.

    Returns:
        shape (n_arms,), summing to 1, each at least uniform_share / n_arms; all alike while nothing was rewarded.

    Raises:
        BadExperiment: there is no such mode, or a number of the rule is outside its range.
    """
    mature, rewarded = (_remember(part, rule) for part in (windows.mature, windows.rewarded))
    n_arms = len(windows.exposed)
    if not rewarded.any():
        return np.full(n_arms, 1 / n_arms)
    if rule.mode == EPSILON_GREEDY:
        return epsilon_greedy(mean_rates(rewarded, mature), mature, rule.uniform_share)
    if rule.mode == UPPER_CONFIDENCE:
        pending = np.maximum(windows.exposed - windows.mature.sum(axis=0), 0.0)
        n_next = max(round(float(windows.exposed.sum()) / len(windows.mature)), 1)
        return keep_uniform(upper_confidence(rewarded, mature, pending, n_next), rule.uniform_share)
    chances = best_probabilities(draw_rates(rewarded, mature, rng))
    if rule.mode == WAVES:
        return keep_uniform(thompson(chances), rule.uniform_share)
    if rule.mode == TOP_TWO:
        return keep_uniform(top_two(chances), rule.uniform_share)
    raise BadExperiment(
        f"There is no mode {rule.mode!r} of sharing; there are waves, top_two, epsilon_greedy and upper_confidence."
    )


def _remember(windows: Floats, rule: WaveRule) -> Floats:
    """Sum what the rule lets count of the windows."""
    kept = windows if rule.last_windows is None else windows[-rule.last_windows :]
    if rule.last_windows is not None and rule.discount == 1.0:
        return keep_last_windows(windows, rule.last_windows)
    return discount_windows(kept, rule.discount)
