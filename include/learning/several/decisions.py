"""Which action pays most at which probabilities, and what it earned.

What belongs here: arithmetic on the worth of actions (several classes) and of outcomes (several labels). What does not:
two sides (`include/problems/decision_policy.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.learning.protocols import Probabilities
from include.learning.several.targets import Targets
from include.problems.decision_policy import Policy, earning_policy, profit_of_policy
from include.problems.sections.learning import Label, Value

ASK = "ask a person"


@dataclass(frozen=True)
class Decisions:
    """What is done with rows at their probabilities.

    Attributes:
        classes: in the order of the problem file.
        actions: names of the actions; of several labels the labels themselves.
        payoff: shape (n_classes, n_actions), what each action earns where a class is true; None of several labels.
        cost: what asking a person costs, above 0; None where nobody is asked.
        policy: at which probability a label is acted on; None of several classes.
        value: what the outcomes of a label are worth.
    """

    classes: tuple[str, ...]
    actions: tuple[str, ...]
    payoff: Probabilities | None
    cost: float | None
    policy: Policy | None
    value: Value


def decisions_of(label: Label, value: Value, *, has_reviewers: bool) -> Decisions:
    """Read what pays from the problem file; without payoff a right class earns 1 and a wrong one nothing.

    Raises:
        BadProblem: acting on a label never pays.
    """
    classes = tuple(label.classes)
    cost = -value.review if has_reviewers and value.review < 0 else None
    if label.multiple:
        return Decisions(classes, classes, None, cost, earning_policy(value, has_reviewers=has_reviewers), value)
    if value.payoff is None:
        return Decisions(classes, classes, np.eye(len(classes)), cost, None, value)
    actions = tuple(value.payoff[classes[0]])
    table = np.array([[value.payoff[name][action] for action in actions] for name in classes], dtype=np.float64)
    return Decisions(classes, actions, table, cost, None, value)


def expected_payoff(p: Probabilities, decisions: Decisions) -> Probabilities:
    """Say what each action is expected to earn: shape (n_rows, n_actions).

    Args:
        p: shape (n_rows, n_classes), calibrated.
    """
    payoff = decisions.payoff if decisions.payoff is not None else np.eye(len(decisions.classes))
    return np.asarray(p, dtype=np.float64) @ payoff


def is_asked(p: Probabilities, decisions: Decisions) -> NDArray[np.bool_]:
    """Say of which rows a person is asked: what knowing would earn more than the best action is above its cost.

    Returns:
        shape (n_rows,); of several labels, rows of which one label at least is sent to a person.

    Source: Chow 1970, On optimum recognition error and reject tradeoff; the expected value of perfect information.
    """
    if decisions.policy is not None:
        low, high = decisions.policy.ask_from, decisions.policy.ask_until
        if low is None or high is None:
            return np.zeros(len(p), dtype=np.bool_)
        return np.asarray(((p >= low) & (p < high)).any(axis=1))
    if decisions.cost is None or decisions.payoff is None:
        return np.zeros(len(p), dtype=np.bool_)
    knowing = np.asarray(p, dtype=np.float64) @ decisions.payoff.max(axis=1)
    return np.asarray(knowing - expected_payoff(p, decisions).max(axis=1) > decisions.cost)


def choose_labels(p: Probabilities, decisions: Decisions) -> NDArray[np.bool_]:
    """Say which labels are acted on: shape (n_rows, n_labels)."""
    act_from = decisions.policy.act_from if decisions.policy else 0.5
    return np.asarray(p >= act_from)


def choose_actions(p: Probabilities, decisions: Decisions) -> list[str]:
    """Name what is done with each row; of actions that are worth the same the first of the file.

    Returns:
        an action each, or `ask a person`; of several labels those that are acted on, with a comma between them, or
        nothing.
    """
    asked = is_asked(p, decisions)
    if decisions.policy is not None:
        chosen = choose_labels(p, decisions)
        names = [", ".join(name for name, is_on in zip(decisions.classes, row, strict=True) if is_on) for row in chosen]
    else:
        best = expected_payoff(p, decisions).argmax(axis=1)
        names = [decisions.actions[place] for place in best]
    return [ASK if is_for_person else name for is_for_person, name in zip(asked, names, strict=True)]


def profit_of(p: Probabilities, targets: Targets, decisions: Decisions) -> Probabilities:
    """Say what each row earned: shape (n_rows,), in the problem's unit; of several labels summed over them.

    Args:
        p: shape (n_rows, n_classes), calibrated.
        targets: what is true of the rows.
    """
    if decisions.policy is not None or decisions.payoff is None:
        policy = decisions.policy or Policy(0.5)
        each = [
            profit_of_policy(p[:, place], targets.flags[:, place], decisions.value, policy)
            for place in range(p.shape[1])
        ]
        return np.asarray(np.sum(each, axis=0), dtype=np.float64)
    true = decisions.payoff[targets.codes]
    earned = true[np.arange(len(p)), expected_payoff(p, decisions).argmax(axis=1)]
    known = true.max(axis=1) - (decisions.cost or 0.0)
    return np.asarray(np.where(is_asked(p, decisions), known, earned), dtype=np.float64)
