"""What must hold before a decision may be taken, each with its number.

What belongs here: sums in, checks out. What does not: what follows from them (`deciding.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from include.errors import BadExperiment

SAMPLE_RATIO = "sample_ratio"
MATURITY = "maturity"
MINIMUM_UNITS = "minimum_units"


@dataclass(frozen=True)
class Check:
    """One check and its number; the columns of `core.experiment_check`."""

    check_name: str
    is_pass: bool
    value: float | None
    bound: float
    detail: str


def check_sample_ratio(n_units: Mapping[str, int], expected_shares: Mapping[str, float], alpha: float) -> Check:
    """Ask whether the variants went to as many units as they should have.

    A mismatch means that something other than chance decided who is counted, so that no comparison can be trusted.

    Args:
        n_units: exposed units per variant; the same variants as expected_shares.
        expected_shares: 0..1 per variant, sum 1.
        alpha: a p-value below it is a mismatch.

    Returns:
        passes, without a value, while nobody was exposed.

    Raises:
        BadExperiment: the variants differ, or the shares do not sum to 1 within 1e-9.

    Source: Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch"; Pearson's chi-square test.
    """
    _require_shares(n_units, expected_shares)
    observed = np.array([n_units[name] for name in expected_shares], dtype=np.float64)
    expected = np.array(list(expected_shares.values())) * observed.sum()
    if observed.sum() == 0:
        return Check(SAMPLE_RATIO, True, None, alpha, "Nobody was exposed yet.")
    # A variant that should never be sent: one unit of it is proof enough, none of it is no evidence.
    is_possible = expected > 0
    statistic = float(((observed - expected)[is_possible] ** 2 / expected[is_possible]).sum())
    p_value = float(chi2.sf(statistic, max(1, int(is_possible.sum()) - 1)))
    if observed[~is_possible].any():
        p_value = 0.0
    seen = ", ".join(
        f"{name} {count:.0f} of {wanted:.1f} expected"
        for name, count, wanted in zip(expected_shares, observed, expected, strict=True)
    )
    return Check(
        SAMPLE_RATIO, p_value >= alpha, p_value, alpha, f"{seen}: p = {p_value:.4g}, allowed from {alpha:g} on."
    )


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
    return Check(MINIMUM_UNITS, n_mature[smallest] >= minimum, float(n_mature[smallest]), float(minimum), detail)


def _require_shares(n_units: Mapping[str, int], expected_shares: Mapping[str, float]) -> None:
    """Refuse shares that are not of these variants, or not shares."""
    if set(n_units) != set(expected_shares):
        raise BadExperiment(
            f"Units were counted for {sorted(n_units)}, but shares are expected for {sorted(expected_shares)}; "
            "give every variant of the problem file exactly one share."
        )
    total = sum(expected_shares.values())
    if abs(total - 1.0) > 1e-9 or min(expected_shares.values()) < 0:
        raise BadExperiment(f"The expected shares {dict(expected_shares)} sum to {total}; allowed is 1, none below 0.")
