"""The interval of a share of few rows.

What belongs here: Wilson's interval, which is narrow and right on average. What does not: intervals that hold in every
case, whatever the share (`proportions.py`).
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

from include.errors import BadCounts

Floats = NDArray[np.float64]
Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point


@overload
def wilson_interval(n_hits: float, n_rows: float, z: float = ...) -> tuple[float, float]: ...
@overload
def wilson_interval(
    n_hits: NDArray[np.number], n_rows: NDArray[np.number], z: float = ...
) -> tuple[Floats, Floats]: ...
def wilson_interval(
    n_hits: float | NDArray[np.number], n_rows: float | NDArray[np.number], z: float = Z_95
) -> tuple[float, float] | tuple[Floats, Floats]:
    """Say between which ends a share lies, given how often it was seen.

    Args:
        n_hits: rows that did, 0..n_rows; a number, or shape (n,).
        n_rows: rows that could have, above 0; an effective number of rows need not be whole.
        z: normal quantile of the confidence; 1.96 is 95 %.

    Returns:
        (low, high), 0..1, numbers or shape (n,); never empty, also where nothing or everything happened.

    Raises:
        BadCounts: there are no rows, or more hits than rows.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    hits, rows = np.broadcast_arrays(np.asarray(n_hits, dtype=np.float64), np.asarray(n_rows, dtype=np.float64))
    require_shares(hits, rows)
    share, z2 = hits / rows, z * z / rows
    centre = share + z2 / 2
    reach = np.sqrt(z2 * (share * (1 - share) + z2 / 4))
    # Rounding may leave the ends outside by one part in 1e16.
    low, high = np.clip((centre - reach) / (1 + z2), 0, 1), np.clip((centre + reach) / (1 + z2), 0, 1)
    return (low, high) if hits.ndim else (float(low), float(high))


def require_shares(n_hits: Floats, n_rows: Floats) -> None:
    """Refuse counts that are no share.

    Raises:
        BadCounts: somewhere there are no rows, fewer than 0 hits, more hits than rows, or no number at all.
    """
    is_bad = np.atleast_1d(~((n_rows > 0) & (n_hits >= 0) & (n_hits <= n_rows)))
    if is_bad.any():
        first = int(np.flatnonzero(is_bad)[0])
        hits, rows = np.atleast_1d(n_hits)[first], np.atleast_1d(n_rows)[first]
        raise BadCounts(
            f"{int(is_bad.sum()):,} of {is_bad.size:,} counts are no share (first: {hits:,.10g} hits of {rows:,.10g} "
            "rows); a share needs more than 0 rows, and from 0 to as many hits."
        )
