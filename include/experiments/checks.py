"""What must hold before a decision may be taken, each with its number.

What belongs here: sums in, checks out. What does not: what follows from them (`decision.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binomtest, chi2

from include.errors import BadExperiment

SAMPLE_RATIO = "sample_ratio"
MATURITY = "maturity"
MINIMUM_UNITS = "minimum_units"
MINIMUM_REWARDS = "minimum_rewards"

MINIMUM_EXPECTED = 5
N_DRAWS = 200_000
_SEED = 1_954
# A split this unlikely does not stop a decision, but people look at it.
UNLIKELY = 0.01
WHAT_TO_LOOK_AT = (
    "compare the variants by day, by source and in what was left out; a variant that loses units (slow pages, "
    "failed deliveries, a renamed arm) is compared without those it lost."
)


@dataclass(frozen=True)
class Check:
    """One check and its number; the columns of `core.experiment_check`.

    Attributes:
        value, bound: what was seen and what is allowed.
        advice: what to look at or do; empty where nothing is needed.
    """

    check_name: str
    is_pass: bool
    value: float | None
    bound: float
    detail: str
    advice: str = ""


def check_sample_ratio(n_units: Mapping[str, int], expected_shares: Mapping[str, float], alpha: float) -> Check:
    """Ask whether the variants went to as many units as they should have.

    A mismatch means that something other than chance decided who is counted, so that no comparison can be trusted.
    Where a variant expects fewer than 5 units, chi-square is far from the truth: the exact test is asked then.

    Args:
        n_units: exposed units per variant; the same variants as expected_shares.
        expected_shares: 0..1 per variant, sum 1.
        alpha: a p-value below it is a mismatch.

    Returns:
        passes, without a value, while nobody was exposed.

    Raises:
        BadExperiment: the variants differ, or the shares do not sum to 1 within 1e-9.

    Source: Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch"; Pearson's chi-square test, Cochran 1954 on when it
        holds; the exact multinomial test, for more than two variants drawn 200,000 times.
    """
    _require_shares(n_units, expected_shares)
    observed = np.array([n_units[name] for name in expected_shares], dtype=np.float64)
    expected = np.array(list(expected_shares.values())) * observed.sum()
    if observed.sum() == 0:
        return Check(SAMPLE_RATIO, True, None, alpha, "Nobody was exposed yet.")
    # A variant that should never be sent: one unit of it is proof enough, none of it is no evidence.
    is_possible = expected > 0
    p_value = 0.0 if observed[~is_possible].any() else _chance_of(observed[is_possible], expected[is_possible])
    seen = ", ".join(
        f"{name} {count:.0f} of {wanted:.1f} expected"
        for name, count, wanted in zip(expected_shares, observed, expected, strict=True)
    )
    is_rare = alpha <= p_value < UNLIKELY
    hint = f" That is below {UNLIKELY:g}, though: {WHAT_TO_LOOK_AT}" if is_rare else ""
    detail = f"{seen}: p = {p_value:.4g}, allowed from {alpha:g} on.{hint}"
    advice = WHAT_TO_LOOK_AT if p_value < max(alpha, UNLIKELY) else ""
    return Check(SAMPLE_RATIO, p_value >= alpha, p_value, alpha, detail, advice)


def _chance_of(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Say how likely units would be split as unevenly as this, or more, were the shares right."""
    if len(observed) < 2:
        return 1.0
    if expected.min() >= MINIMUM_EXPECTED:
        return float(chi2.sf(((observed - expected) ** 2 / expected).sum(), len(observed) - 1))
    order = np.lexsort((observed, expected))  # the draws are the same in whatever order the file names the variants
    observed, shares, n_units = observed[order], expected[order] / expected.sum(), int(observed.sum())
    if len(observed) == 2:
        return float(binomtest(int(observed[0]), n_units, float(shares[0])).pvalue)

    def log_chance(split: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((split * np.log(shares) - gammaln(split + 1)).sum(axis=-1))

    drawn = np.random.default_rng(_SEED).multinomial(n_units, shares, N_DRAWS).astype(np.float64)
    n_as_rare = int((log_chance(drawn) <= log_chance(observed) + 1e-9).sum())
    return (n_as_rare + 1) / (N_DRAWS + 1)


def check_maturity(n_units: int, n_mature: int) -> Check:
    """Ask whether every unit of the pilot had its whole time to respond.

    Counting earlier favours the variant that people answer fastest, not the one that brings most.

    Args:
        n_units: exposed units of the pilot.
        n_mature: of these, units whose attribution window has elapsed.

    Returns:
        fails while nobody was exposed.
    """
    share = n_mature / n_units if n_units else 0.0
    detail = f"{n_mature} of {n_units} units of the pilot had their whole attribution window; all are needed."
    return Check(MATURITY, n_units > 0 and n_mature == n_units, share, 1.0, detail)


def check_minimum_units(n_mature: Mapping[str, int], minimum: int) -> Check:
    """Ask whether the smallest variant has enough mature units.

    Args:
        n_mature: mature units per variant, with 0 for a variant that nobody got.
        minimum: units per variant.
    """
    smallest = min(n_mature, key=lambda name: n_mature[name])
    detail = f"{smallest} has the fewest mature units, {n_mature[smallest]}; at least {minimum} are needed."
    is_pass = n_mature[smallest] >= minimum
    advice = "" if is_pass else "let the pilot run longer (pilot_until), or give the variant a larger share."
    return Check(MINIMUM_UNITS, is_pass, float(n_mature[smallest]), float(minimum), detail, advice)


def check_minimum_rewards(n_rewarded: Mapping[str, int], minimum: int) -> Check:
    """Ask whether there were enough rewards, over all variants, to tell rates apart from nothing.

    Without any, the smallest variant would look best: its rate is the least certain.

    Args:
        n_rewarded: rewarded mature units per variant.
        minimum: rewarded units in all.
    """
    total = sum(n_rewarded.values())
    seen = ", ".join(f"{name} {n}" for name, n in n_rewarded.items())
    detail = f"{total} mature units were rewarded ({seen}); at least {minimum} are needed."
    advice = "" if total >= minimum else "is the reward's name right, and does it arrive in this log at all?"
    return Check(MINIMUM_REWARDS, total >= minimum, float(total), float(minimum), detail, advice)


def _require_shares(n_units: Mapping[str, int], expected_shares: Mapping[str, float]) -> None:
    """Refuse shares that are not of these variants, or not shares.

    Raises:
        BadExperiment: a variant is missing or unknown, or the shares are none.
    """
    if set(n_units) != set(expected_shares):
        raise BadExperiment(
            f"Units were counted for {sorted(n_units)}, but shares are expected for {sorted(expected_shares)}; "
            "give every variant of the problem file exactly one share."
        )
    total = sum(expected_shares.values())
    if abs(total - 1.0) > 1e-9 or min(expected_shares.values()) < 0:
        raise BadExperiment(f"The expected shares {dict(expected_shares)} sum to {total}; allowed is 1, none below 0.")
