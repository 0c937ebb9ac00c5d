"""What each outcome of a decision is worth, in the problem's own unit of value.

What belongs here: the table that ranking by value reads. What does not: ranking (`selection/sql_ranking.py`), and the
threshold that decisions use (the learning room).
"""

import numpy as np
from numpy.typing import NDArray

from include.problems.sections.learning import Value


def value_matrix(value: Value) -> NDArray[np.float64]:
    """Write the worth of each outcome as a table.

    Returns:
        shape (2, 2): rows are decisions, columns what is true; negative first in both.
    """
    return np.array(
        [[value.true_negative, value.false_negative], [value.false_positive, value.true_positive]], dtype=np.float64
    )
