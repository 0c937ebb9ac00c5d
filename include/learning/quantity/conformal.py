"""Makes intervals and plans hold: what a forecast says is moved by how far it was off on rows it was not fitted on.

What belongs here: offsets, and how many rows they need. What does not: forecasts.
"""

import math

import numpy as np

from include.learning.protocols import Probabilities
from include.learning.quantity.levels import Levels


def offsets_of(levels: Levels, said: Probabilities, actual: Probabilities) -> Probabilities:
    """Say by how much each number must be moved.

    The upper end by the smallest d of which 1 - (1 - interval) / 2 of the rows, and one row more, have
    actual - said <= d; the lower end as in a mirror; the action by the quantile of actual - said, which is where its
    pinball loss is least; a mean by the mean, a median by the median.

    Args:
        levels: which numbers these are.
        said: shape (n_rows, 4), of rows that the forecast was not fitted on.
        actual: shape (n_rows,), at least `rows_needed`.

    Returns:
        shape (4,), to be added.

    Source: Romano, Patterson and Candès 2019, Conformalized quantile regression, theorem 2 (both tails by themselves);
        Koenker and Bassett 1978 for the action.
    """
    miss = actual[:, None] - said
    centre = levels.quantiles[0]
    return np.array(
        [
            miss[:, 0].mean() if centre is None else np.quantile(miss[:, 0], centre),
            -_quantile_and_one_more(-miss[:, 1], levels.high),
            _quantile_and_one_more(miss[:, 2], levels.high),
            np.quantile(miss[:, 3], levels.action),
        ]
    )


def _quantile_and_one_more(values: Probabilities, level: float) -> float:
    """Give the ceil((n + 1) * level)-th smallest value; the largest where there are too few."""
    place = min(math.ceil((len(values) + 1) * level - 1e-9), len(values))
    return float(np.partition(values, place - 1)[place - 1])


def rows_needed(levels: Levels) -> int:
    """Count the rows that an interval needs to hold at all: 19 for 90 %, with as many below it as above."""
    return math.ceil(levels.high / (1 - levels.high) - 1e-9)
