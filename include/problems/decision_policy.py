"""From which probability on it pays to act, and where it pays to ask a person first.

What belongs here: arithmetic on the value matrix. What does not: choosing on data: a calibrated probability needs none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.errors import BadProblem
from include.problems.sections.learning import Value


@dataclass(frozen=True)
class Policy:
    """What is done at which probability.

    Attributes:
        act_from: act at or above it, 0..1; where people are asked, only above `ask_until`.
        ask_from: ask a person at or above it; None where asking never pays, or there is nobody to ask.
        ask_until: ask a person below it; None as above.
    """

    act_from: float
    ask_from: float | None = None
    ask_until: float | None = None


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


def earning_policy(value: Value, *, has_reviewers: bool) -> Policy:
    """Say at which probabilities to act, to let be, and to send a row to a person.

    A person finds the truth and costs -review. With gain G = TP - FN and loss L = TN - FP, letting a row be is expected
    to lose p * G against the truth, acting (1 - p) * L. Asking costs less than both between
    p = cost / G and p = 1 - cost / L, which is a span only where cost < G * L / (G + L).

    Args:
        has_reviewers: whether the problem has people to ask.

    Raises:
        BadProblem: acting never pays; see `earning_threshold`.

    Source: Chow 1970, On optimum recognition error and reject tradeoff; the costs of Elkan 2001.
    """
    act_from = earning_threshold(value)
    gain, loss = value.true_positive - value.false_negative, value.true_negative - value.false_positive
    cost = -value.review
    # A review that costs nothing is one that nobody has priced: else every row would be sent to people.
    if not has_reviewers or cost <= 0 or loss <= 0:
        return Policy(act_from)
    ask_from, ask_until = cost / gain, 1 - cost / loss
    return Policy(act_from, ask_from, ask_until) if ask_from < ask_until else Policy(act_from)


def profit_of_policy(
    p: NDArray[np.float64], is_positive: NDArray[np.bool_], value: Value, policy: Policy
) -> NDArray[np.float64]:
    """Say what each row earns under a policy, in the problem's unit.

    Args:
        p: shape (n_rows,), calibrated, 0..1.
        is_positive: shape (n_rows,), what happened.

    Returns:
        shape (n_rows,).
    """
    unasked = profit_of_actions(p >= policy.act_from, is_positive, value)
    if policy.ask_from is None or policy.ask_until is None:
        return unasked
    known = np.where(is_positive, value.true_positive, value.true_negative) + value.review
    return np.where((p >= policy.ask_from) & (p < policy.ask_until), known, unasked).astype(np.float64)


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
