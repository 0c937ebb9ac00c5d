"""A band around a difference that may be looked at after every window, and stopped at any of them.

What belongs here: intervals that hold at all looks at once. What does not: intervals for one look that was
fixed beforehand (`wilson.py`, `bootstrap.py`), and what is compared with what.
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

from include.errors import BadCounts

Floats = NDArray[np.float64]
Numbers = float | NDArray[np.number]

# Units after which the band is as narrow as it can be; it holds whatever this is, and is a little wider elsewhere.
TUNING = 5_000.0


@overload
def always_valid_interval(
    mean_difference: float, standard_error: float, n: float, *, alpha: float = ..., tuning: float = ...
) -> tuple[float, float]: ...
@overload
def always_valid_interval(
    mean_difference: NDArray[np.number],
    standard_error: NDArray[np.number],
    n: NDArray[np.number],
    *,
    alpha: float = ...,
    tuning: float = ...,
) -> tuple[Floats, Floats]: ...
def always_valid_interval(
    mean_difference: Numbers, standard_error: Numbers, n: Numbers, *, alpha: float = 0.05, tuning: float = TUNING
) -> tuple[float, float] | tuple[Floats, Floats]:
    """Say between which ends a difference lies, sure of it at every look together.

    With r = n rho², the reach is se * sqrt((1 + r) / r * log((1 + r) / alpha²)), and
    rho² = (log(1 / alpha²) + log(1 + log(1 / alpha²))) / tuning. Several comparisons share alpha: give each its part.

    Args:
        mean_difference: number or shape (m,), any unit.
        standard_error: its standard error from all units so far, same unit, at least 0; at 0 nothing has varied yet
            and the ends are infinite.
        n: units so far, of both sides together, above 0.
        alpha: how often a band may leave out the truth at any look, 0..1.
        tuning: units after which it shall be narrowest, within a twentieth; above 0.

    Returns:
        (low, high), numbers or shape (m,), in the unit of the difference. It holds as sums of many rewards do: the
        first looks need a few tens of rewards on each side (docs/benchmarks.md).

    Raises:
        BadCounts: alpha is not between 0 and 1, or units, tuning or a standard error are not as above.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory and asymptotic
        confidence sequences", theorem 2.2 and section B.2; Robbins 1970 for the mixture.
    """
    difference, error, units = _require_looks(mean_difference, standard_error, n, alpha, tuning)
    ratio = units * _mixture_precision(alpha, tuning)
    reach = error * np.sqrt((1 + ratio) / ratio * (np.log1p(ratio) - 2 * np.log(alpha)))
    reach = np.where(error > 0, reach, np.inf)
    low, high = difference - reach, difference + reach
    return (low, high) if difference.ndim else (float(low), float(high))


def _mixture_precision(alpha: float, tuning: float) -> float:
    """Give rho², by which the band is narrowest after `tuning` units."""
    surprise = -2 * np.log(alpha)
    return float((surprise + np.log1p(surprise)) / tuning)


def _require_looks(
    mean_difference: Numbers, standard_error: Numbers, n: Numbers, alpha: float, tuning: float
) -> tuple[Floats, Floats, Floats]:
    """Refuse what no look at an experiment gives.

    Raises:
        BadCounts: see `always_valid_interval`.
    """
    if not (0 < alpha < 1 and tuning > 0):
        raise BadCounts(f"No band has alpha {alpha} and tuning {tuning}; alpha lies between 0 and 1, tuning above 0.")
    arrays = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (mean_difference, standard_error, n)))
    difference, error, units = arrays
    is_bad = np.atleast_1d(~(np.isfinite(difference) & (error >= 0) & np.isfinite(error) & (units > 0)))
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        worst = ", ".join(f"{np.atleast_1d(part)[first]:.6g}" for part in arrays)
        raise BadCounts(
            f"{int(is_bad.sum()):,} of {is_bad.size:,} looks have no band (first: difference, standard error, units = "
            f"{worst}); a look needs more than 0 units and a standard error of at least 0."
        )
    return difference, error, units
