"""How undecided a model is about an item.

What belongs here: probabilities in, one number for each item out. What does not: ranking by it, which the engine does
(`selection/sql_ranking.py`), and how a batch is divided between the arms (`selection/batch_plan.py`).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from include.stats.probabilities import require_class_probabilities


def predictive_entropy(proba: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how undecided the model is about each row.

    Args:
        proba: shape (n_rows, n_classes). Rows are >= 0 and sum to 1 within 1e-6.

    Returns:
        shape (n_rows,), in nats: 0 is certain, ln(n_classes) is a dead heat.

    Raises:
        BadProbabilities: any row breaks the rule above; the message names the worst row.

    Source: Shannon 1948, section 6; as a query rule, Settles 2009, section 3.1.
    """
    require_class_probabilities(proba)
    # entr(0) is 0, so 0 * log(0) never appears; below 0 (within the tolerance) it would be -inf.
    entropy: NDArray[np.float64] = entr(np.clip(proba, 0.0, 1.0)).sum(axis=1)
    return entropy
