"""Every variant against the control: how much more it brings, between which ends, and what may be claimed of it.

What belongs here: sums in, comparisons out. What does not: what is sent (`sending.py`): that needs no proof.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from include.errors import BadExperiment
from include.experiments.lift import newcombe_interval
from include.experiments.shrinkage import shrink_means
from include.stats.always_valid import always_valid_interval
from include.stats.wilson import wilson_interval

CONTROL, BETTER, WORSE, UNCLEAR = "control", "better", "worse", "unclear"
_LARGEST_Z = 37.0  # beyond it a double holds no p-value


@dataclass(frozen=True)
class Outcome:
    """What one variant's mature units did.

    Attributes:
        n_mature, n_rewarded: units, and rewarded ones of them.
        design_effect: how many times the variance of the rate is that of units drawn one by one; 1 without clusters.
    """

    n_mature: int
    n_rewarded: int
    design_effect: float = 1.0

    @property
    def rate(self) -> float:
        """The share that was rewarded, 0..1."""
        return self.n_rewarded / self.n_mature

    @property
    def n_effective(self) -> float:
        """As many units drawn one by one would know as much."""
        return self.n_mature / self.design_effect


@dataclass(frozen=True)
class Comparison:
    """One variant beside the control; columns of `core.experiment_variant`.

    Attributes:
        verdict: control, better, worse or unclear.
        rate_ratio, rate_low, rate_high: share of mature units that were rewarded, with its 95 % interval by itself;
            None while none is mature.
        lift_ratio: rate less that of the control, -1..1; None of the control, and while either has no mature unit.
        shrunk_lift_ratio: the same, drawn towards what all variants say: what to expect of those to come.
        low, high: band of the lift; the bands of all variants hold the truth together, as surely as the file claims.
        low_any_look, high_any_look: the same band, but holding at every look together: whoever stops at the first one
            that leaves 0 out is wrong no more often than the file says. None also while nothing was rewarded.
        p_value: two-sided, times the number of comparisons, at most 1; below 1 - level where the band leaves 0 out.
    """

    verdict: str
    rate_ratio: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    lift_ratio: float | None = None
    shrunk_lift_ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    low_any_look: float | None = None
    high_any_look: float | None = None


def compare_with_control(outcomes: Mapping[str, Outcome], control: str, level: float) -> dict[str, Comparison]:
    """Compare every variant with the control, so that all bands together hold with the stated level.

    With k variants there are k - 1 comparisons; each takes 1 - (1 - level) / (k - 1), two-sided (Bonferroni), and is
    Newcombe's interval at that confidence, of as many effective units as the design effect leaves.

    Args:
        outcomes: per variant, in the order of the file.
        control: one of them.
        level: 0..1; false claims of any kind are at most 1 - level of experiments.

    Returns:
        one per variant, in their order.

    Raises:
        BadExperiment: fewer than two variants, or the control is none of them.

    Source: Newcombe 1998, method 10; Bonferroni. Simulated for 2, 3 and 4 variants in docs/benchmarks.md.
    """
    if len(outcomes) < 2 or control not in outcomes:
        raise BadExperiment(f"{sorted(outcomes)} cannot be compared with {control!r}; it takes it and another variant.")
    z, n_comparisons = _z_of(level, len(outcomes) - 1), len(outcomes) - 1
    shrunk = _shrink_rates(outcomes)
    compared = {}
    for name, outcome in outcomes.items():
        if outcome.n_mature == 0:
            compared[name] = Comparison(CONTROL if name == control else UNCLEAR)
            continue
        rate = outcome.rate
        ends = wilson_interval(rate * outcome.n_effective, outcome.n_effective)
        if name == control or outcomes[control].n_mature == 0:
            compared[name] = Comparison(CONTROL if name == control else UNCLEAR, rate, *ends)
            continue
        low, high = _band(outcome, outcomes[control], z)
        verdict = BETTER if low > 0 else WORSE if high < 0 else UNCLEAR
        p_value = min(1.0, n_comparisons * _two_sided_p(outcome, outcomes[control]))
        lift, drawn = rate - outcomes[control].rate, shrunk[name] - shrunk[control]
        any_look = _band_at_any_look(outcome, outcomes[control], (1 - level) / n_comparisons)
        compared[name] = Comparison(verdict, rate, *ends, lift, drawn, low, high, p_value, *any_look)
    return compared


def _band_at_any_look(outcome: Outcome, control: Outcome, alpha: float) -> tuple[float, float] | tuple[None, None]:
    """Say between which ends the lift lies, at this look and all others; nothing while no rate has varied."""
    error = math.sqrt(sum(one.rate * (1 - one.rate) / one.n_effective for one in (outcome, control)))
    if error == 0.0:
        return None, None
    n = outcome.n_effective + control.n_effective
    return always_valid_interval(outcome.rate - control.rate, error, n, alpha=alpha)


def spell_claim(outcomes: Mapping[str, Outcome], compared: Mapping[str, Comparison], control: str, level: float) -> str:
    """Say in a sentence what is shown of rates, and what is not; otherwise as `spell_claim_by`."""

    def is_above(first: str, second: str, alpha: float) -> bool:
        return _band(outcomes[first], outcomes[second], float(norm.isf(alpha / 2)))[0] > 0

    return spell_claim_by(compared, control, level, is_above)


def spell_claim_by(
    compared: Mapping[str, Comparison], control: str, level: float, is_above: Callable[[str, str, float], bool]
) -> str:
    """Say in a sentence what is shown, and what is not.

    Variants that beat the control are compared with each other, too, each pair at 1 - level over the number of pairs
    that there could be. All claims together are false in at most 1 - level of experiments: with n variants like the
    control among m, n/m of the error goes to the first comparisons and at most (m - n)/m to the second, which are only
    asked where the first was right.

    Args:
        compared: every variant beside the control.
        control: what all were compared with.
        level: 0..1.
        is_above: whether the first of two variants is shown to be better than the second, in a two-sided comparison
            that is false as often as its third argument says.
    """
    better = [name for name, one in compared.items() if one.verdict == BETTER]
    worse = [name for name, one in compared.items() if one.verdict == WORSE]
    parts = []
    if better:
        each = " both beat" if len(better) == 2 else " all beat" if len(better) > 2 else " beats"
        n_others = len(compared) - 1
        pairs = _spell_pairs(better, (1 - level) / max(1, n_others * (n_others - 1) // 2), is_above)
        parts.append(f"{_list(better)}{each} the control {control!r}{pairs}")
    if worse:
        parts.append(f"{_list(worse)} {'is' if len(worse) == 1 else 'are'} worse than the control {control!r}")
    if not parts:
        parts.append(f"no variant is shown to differ from the control {control!r}")
    sentence = "; ".join(parts)
    error = f"Claims like these are false in at most {100 * (1 - level):.2g} of 100 experiments."
    return f"{sentence[0].upper()}{sentence[1:]}. {error}"


def _spell_pairs(better: Sequence[str], alpha: float, is_above: Callable[[str, str, float], bool]) -> str:
    """Tell those that beat the control apart, as far as that can be shown."""
    if len(better) < 2:
        return ""
    won = {pair for pair in permutations(better, 2) if is_above(*pair, alpha)}
    if not won:
        return "; too close to tell apart"
    return "; " + ", ".join(f"{first!r} also beats {second!r}" for first, second in sorted(won))


def _list(names: Sequence[str]) -> str:
    """Write names as a sentence lists them."""
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _z_of(level: float, n_comparisons: int) -> float:
    """Give the normal quantile at which so many two-sided comparisons hold together."""
    return float(norm.isf((1.0 - level) / (2 * n_comparisons)))


def _band(variant: Outcome, other: Outcome, z: float) -> tuple[float, float]:
    """Give the band of the variant's rate less the other's."""
    return newcombe_interval(variant.rate, variant.n_effective, other.rate, other.n_effective, z)


def _two_sided_p(variant: Outcome, other: Outcome) -> float:
    """Find the confidence at which the band just reaches 0; what it leaves is the p-value."""
    if variant.rate == other.rate:
        return 1.0
    is_above = variant.rate > other.rate

    def end_at(z: float) -> float:
        low, high = _band(variant, other, z)
        return low if is_above else -high

    if end_at(_LARGEST_Z) > 0:
        return 0.0
    return float(2 * norm.sf(brentq(end_at, 0.0, _LARGEST_Z)))


def _shrink_rates(outcomes: Mapping[str, Outcome]) -> dict[str, float]:
    """Draw the rates of the variants that have mature units towards what they say together."""
    known = {name: outcome for name, outcome in outcomes.items() if outcome.n_mature}
    if len(known) < 2:
        return {name: outcome.rate for name, outcome in known.items()}
    rates = np.array([outcome.rate for outcome in known.values()])
    # Half a reward more, on either side: a rate of 0 is not known for certain.
    n = np.array([outcome.n_effective for outcome in known.values()])
    careful = (rates * n + 0.5) / (n + 1)
    shrunk = shrink_means(rates, np.sqrt(careful * (1 - careful) / n), scale=0.25 * float(careful.mean()))
    return dict(zip(known, shrunk.tolist(), strict=True))
