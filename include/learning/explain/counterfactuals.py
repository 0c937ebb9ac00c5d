"""The smallest change that would have turned a decision: few features, each within what may be changed at all.

What belongs here: a row, a model and permitted ranges in, changes out; every one was put to the model as a whole row
before it is named. What does not: which features people can change (`training.changeable` of the problem file).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_CHANGES = 3
N_STEPS = 21
N_KEPT = 30  # beginnings that are built on; more find little that is smaller
N_SHOWN = 3

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
Range = Sequence[Any]  # [low, high] of a number, or the permitted values of a category


@dataclass(frozen=True)
class Counterfactual:
    """One change that turns the decision.

    Attributes:
        changes: feature to (what it is, what it would be).
        p_positive: what the model says about the whole changed row, 0..1.
        distance: sum over the changes of step / permitted range; 1 for another category.
    """

    changes: Mapping[str, tuple[Any, Any]]
    p_positive: float
    distance: float


@dataclass(frozen=True)
class Search:
    """What a search found, and whether it was allowed to finish.

    Attributes:
        found: at most 3, the fewest changes first, then the smallest; empty when there is none.
        is_complete: False when the time ran out before all was tried.
    """

    found: tuple[Counterfactual, ...]
    is_complete: bool


def find_counterfactuals(
    predict: Predict,
    row: pd.DataFrame,
    permitted: Mapping[str, Range],
    threshold: float,
    is_out_of_time: Callable[[], bool],
    max_changes: int = MAX_CHANGES,
) -> Search:
    """Search for the fewest and smallest permitted changes that put a row on the other side of the threshold.

    All single changes are tried, then the most promising are combined with each other; the first number of changes
    that works ends the search. Each one named is undone feature by feature: what is not needed is left out.

    Args:
        predict: typed rows to probabilities, as they would be scored.
        row: one typed row.
        permitted: feature to [low, high] (numbers) or to a list of values (categories); only these are changed.
        threshold: probability from which on the positive class is acted on, 0..1.
        is_out_of_time: asked between batches and before each change but the first that is looked at closer; True ends
            the search with what it has.
        max_changes: features at most.

    Returns:
        the counterfactuals; none is an answer.

    Source: Wachter, Mittelstadt and Russell 2018; sparsity and permitted ranges as in Ustun, Spangher and Liu 2019.
    """
    wanted = not bool(predict(row)[0] >= threshold)
    steps = _single_steps(row, permitted)
    beginnings: list[dict[str, Any]] = [{}]
    for _ in range(max_changes):
        tried = _combine(beginnings, steps)
        if not tried:
            break
        if is_out_of_time():
            return Search((), False)
        p = predict(_changed(row, tried))
        turned = [change for change, one in zip(tried, p, strict=True) if bool(one >= threshold) == wanted]
        if turned:
            return _present(predict, row, turned, permitted, threshold, wanted, is_out_of_time)
        order = np.argsort(-p if wanted else p, kind="stable")
        beginnings = [tried[place] for place in order[:N_KEPT]]
    return Search((), True)


def _single_steps(row: pd.DataFrame, permitted: Mapping[str, Range]) -> list[tuple[str, Any]]:
    """List every permitted change of one feature."""
    steps: list[tuple[str, Any]] = []
    for name, allowed in permitted.items():
        now = row[name].iloc[0]
        values = _grid(allowed) if _is_numeric(allowed) else list(allowed)
        steps += [(name, value) for value in values if pd.isna(now) or value != now]
    return steps


def _grid(allowed: Range) -> list[float]:
    """Cut a permitted range into steps; ends that are written as whole numbers, 6 and not 6.0, ask for whole steps."""
    values = np.linspace(float(allowed[0]), float(allowed[1]), N_STEPS)
    is_whole = all(isinstance(end, int) for end in allowed)
    return [float(value) for value in np.unique(np.round(values) if is_whole else values)]


def _is_numeric(allowed: Range) -> bool:
    """Tell a range from a list of categories."""
    return len(allowed) == 2 and all(isinstance(end, int | float) for end in allowed)


def _combine(beginnings: Sequence[Mapping[str, Any]], steps: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Add one more change to each beginning; the same set of changes is listed once."""
    found = {}
    for beginning in beginnings:
        for name, value in steps:
            if name not in beginning:
                change = {**beginning, name: value}
                found[frozenset(change.items())] = change
    return list(found.values())


def _changed(row: pd.DataFrame, changes: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Repeat a row, each time with another set of changes."""
    repeated = row.loc[row.index.repeat(len(changes))].reset_index(drop=True)
    for name in {name for change in changes for name in change}:
        now = row[name].iloc[0]
        values = pd.Series([change.get(name, now) for change in changes], dtype=object)
        repeated[name] = values.astype("float64" if pd.api.types.is_numeric_dtype(row[name]) else row[name].dtype)
    return repeated


def _present(
    predict: Predict,
    row: pd.DataFrame,
    turned: Sequence[dict[str, Any]],
    permitted: Mapping[str, Range],
    threshold: float,
    wanted: bool,
    is_out_of_time: Callable[[], bool],
) -> Search:
    """Rank the changes that turn the decision, undo what they do not need, and ask the model about each once more."""

    def ask(change: Mapping[str, Any]) -> float:
        return float(predict(_changed(row, [change]))[0])

    found: dict[frozenset[str], Counterfactual] = {}
    for longer in sorted(turned, key=lambda change: _distance(row, change, permitted)):
        if any(features <= frozenset(longer) for features in found):
            continue  # another step of the same features, or one more that is not needed, is no other advice
        if found and is_out_of_time():  # never "none found" where there is one
            return Search(tuple(found.values()), False)
        change = dict(longer)
        for name in longer:  # a beginning that was not kept may have been enough
            shorter = {kept: value for kept, value in change.items() if kept != name}
            if shorter and bool(ask(shorter) >= threshold) == wanted:
                change = shorter
        p = ask(change)
        if bool(p >= threshold) != wanted:
            continue
        changes = {name: (row[name].iloc[0], value) for name, value in change.items()}
        found[frozenset(change)] = Counterfactual(changes, p, _distance(row, change, permitted))
        if len(found) == N_SHOWN:
            break
    return Search(tuple(found.values()), True)


def _distance(row: pd.DataFrame, change: Mapping[str, Any], permitted: Mapping[str, Range]) -> float:
    """Add up how far each feature is moved, as a share of its permitted range."""
    total = 0.0
    for name, value in change.items():
        now, allowed = row[name].iloc[0], permitted[name]
        if _is_numeric(allowed) and not pd.isna(now) and float(allowed[1]) > float(allowed[0]):
            total += abs(float(value) - float(now)) / (float(allowed[1]) - float(allowed[0]))
        else:
            total += 1.0
    return total
