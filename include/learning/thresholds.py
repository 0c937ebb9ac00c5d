"""From which probability on it pays to act.

What belongs here: arithmetic on the value matrix. What does not: choosing on data: a calibrated probability needs none.
"""

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProblem
from include.problems.sections.learning import Value


def earning_threshold(value: Value) -> float:
    """Say from which probability on acting earns at least as much as not acting.

    Acting earns p * TP + (1 - p) * FP, not acting earns p * FN + (1 - p) * TN. They are equal at
    p = (TN - FP) / ((TN - FP) + (TP - FN)); for calibrated probabilities no other threshold earns more.

    Returns:
        0..1; act on rows at or above it. 0 when a false alarm costs nothing.

    Raises:
        BadProblem: acting on a true positive earns no more than missing it, so acting never pays.

    Source: Elkan 2001, The foundations of cost-sensitive learning, section 2.
    """
    gain_if_positive = value.true_positive - value.false_negative
    loss_if_negative = value.true_negative - value.false_positive
    if gain_if_positive <= 0:
        raise BadProblem(
            f"value: acting on a positive earns {value.true_positive} {value.unit}, missing it {value.false_negative}; "
            "acting would never pay, so no model can. true_positive must be above false_negative."
        )
    return max(loss_if_negative, 0.0) / (max(loss_if_negative, 0.0) + gain_if_positive)


def profit_of_actions(is_acted: NDArray[np.bool_], is_positive: NDArray[np.bool_], value: Value) -> NDArray[np.float64]:
    """Say what each row earned, in the problem's unit.

    Args:
        is_acted: shape (n_rows,), whether the positive class was acted on.
        is_positive: shape (n_rows,), what happened.

    Returns:
        shape (n_rows,).
    """
    acted = np.where(is_positive, value.true_positive, value.false_positive)
    not_acted = np.where(is_positive, value.false_negative, value.true_negative)
    return np.where(is_acted, acted, not_acted).astype(np.float64)
