"""Intervals for shares of few rows.

What belongs here: closed forms. What does not: intervals of anything that has none (`metrics.py` draws resamples).
"""

import math

from include.learning.refusals import CannotExplain

Z_95 = 1.959963984540054


def wilson_interval(n_hits: int, n_rows: int) -> tuple[float, float]:
    """Say between which ends a share lies, with 95 % confidence.

    Args:
        n_hits: rows that did, 0..n_rows.
        n_rows: at least 1.

    Returns:
        (low, high), 0..1; never outside, also at 0 and at all.

    Raises:
        CannotExplain: there are no rows, or more hits than rows.

    Source: Wilson 1927; Agresti and Coull 1998 on why not the textbook's.
    """
    if n_rows < 1 or not 0 <= n_hits <= n_rows:
        raise CannotExplain(
            f"{n_hits:,} of {n_rows:,} rows is no share; an interval needs 1 row and at most as many hits."
        )
    share, z2 = n_hits / n_rows, Z_95**2
    middle = share + z2 / (2 * n_rows)
    half = Z_95 * math.sqrt(share * (1 - share) / n_rows + z2 / (4 * n_rows**2))
    scale = 1 + z2 / n_rows
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
