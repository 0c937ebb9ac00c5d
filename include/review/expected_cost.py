"""What it is worth to know an item's answer, in the problem's own unit of value.

What belongs here: probabilities and values in, one number for each item out. What does not: the threshold that
decisions use (the learning room).
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProbabilities
from include.problems.sections.learning import Value
from include.review.sampling import require_probabilities


def value_matrix(value: Value) -> NDArray[np.float64]:
    """Write the worth of each outcome as a table.

    Returns:
        shape (2, 2): rows are decisions, columns what is true; negative first in both.
    """
    return np.array(
        [[value.true_negative, value.false_negative], [value.false_positive, value.true_positive]], dtype=np.float64
    )


def value_of_knowing(proba: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say what the best decision would gain on average if the answer were known before it.

    Two items of the same entropy differ where mistakes cost differently: an item near the threshold of the decision
    gains most, and one that is decided the same way whatever the answer gains nothing.

    Args:
        proba: shape (n_items, n_classes); every row sums to 1.
        values: shape (n_decisions, n_classes): worth of each decision when each class is true.

    Returns:
        shape (n_items,), in the unit of `values`, never below 0.

    Raises:
        BadProbabilities: a row is not a distribution, or `values` has another number of classes.

    Source: Howard 1966, expected value of perfect information; for queries, Settles 2009, section 3.4.
    """
    require_probabilities(proba)
    if values.ndim != 2 or values.shape[1] != proba.shape[1]:
        raise BadProbabilities(
            f"`values` has the shape {values.shape}, but `proba` {proba.shape}: both need one column for each class."
        )
    knowing = proba @ values.max(axis=0)
    deciding = (proba @ values.T).max(axis=1)
    gain: NDArray[np.float64] = np.maximum(knowing - deciding, 0.0)
    return gain
