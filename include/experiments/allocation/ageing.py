"""Sums in which old windows count less, for rewards that change with time.

What belongs here: windows in, one row of sums out. What does not: what is done with the sums.
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment

Floats = NDArray[np.float64]


def discount_windows(windows: Floats, factor: float) -> Floats:
    """Sum windows, each counting `factor` times as much as the one after it.

    Args:
        windows: shape (n_windows, n_arms), oldest first; units, rewards, or squares: all alike.
        factor: above 0, at most 1; at 1 nothing is forgotten.

    Returns:
        shape (n_arms,).

    Raises:
        BadExperiment: the factor is outside of that.

    Source: Garivier and Moulines 2011, "On upper-confidence bound policies for switching bandit problems", section 2.
    """
    if not 0 < factor <= 1:
        raise BadExperiment(f"Windows cannot be discounted by {factor}; allowed is above 0, at most 1.")
    return np.asarray(factor ** np.arange(len(windows) - 1, -1, -1.0) @ windows)


def keep_last_windows(windows: Floats, n_windows: int) -> Floats:
    """Sum the last windows and forget the others.

    Args:
        windows: shape (n_windows, n_arms), oldest first.
        n_windows: how many to keep, at least 1; with fewer there, all of them.

    Returns:
        shape (n_arms,).

    Raises:
        BadExperiment: none would be kept.

    Source: Garivier and Moulines 2011, section 3.
    """
    if n_windows < 1:
        raise BadExperiment(f"{n_windows} windows cannot be kept; at least 1 is needed.")
    return np.asarray(windows[-n_windows:].sum(axis=0))
