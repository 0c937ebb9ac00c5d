"""Answers what-if questions about one version: other values in, the probability out, and what would turn the decision.

A store file around the pure ones: it loads the model that the registry names, and keeps the last few in memory. What
does not belong here: who may ask (the page).
"""

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from include.learning.data.dataset import is_of_a_quantity, is_of_several, label_of, training_of
from include.learning.data.features import FeatureSpec, build_features
from include.learning.errors import BadFeatures, CannotExplain, error_context
from include.learning.explain.contributions import explain_rows, list_contributions
from include.learning.explain.counterfactuals import Search, find_counterfactuals
from include.learning.explain.model_parts import take_apart
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.scoring.predict import predict_rows
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse

N_MODELS_KEPT = 4  # each some MB
SECONDS_TO_SEARCH = 1.0
LONGEST_TEXT = 20_000  # characters of a value; a model reads the first 4,000

Values = Mapping[str, Any]
Answer = dict[str, Any]


def ask(problem: Problem, version: str, values: Values) -> Answer:
    """Ask a version about a row that somebody made up.

    Args:
        version: any that was fitted, promoted or not.
        values: feature to a number, a text, or None for missing; a feature that is not named is missing.

    Returns:
        p_positive (0..1), log_odds (before calibration), sentence, action, contributions (feature and log-odds, the
        largest first, with the start in `(all else)`), contributions_note, changes (what would turn the decision),
        changes_note.

    Raises:
        CannotExplain: the label is of several classes, or a quantity.
        BadFeatures: a value that the feature cannot have, or a feature that the model does not read.
        UnknownVersion: there is no such version.
        TamperedModel: the stored model is not the registered one, or reads other features.
    """
    if is_of_several(problem) or is_of_a_quantity(problem):
        what = "a quantity" if is_of_a_quantity(problem) else "of several"
        raise CannotExplain(
            f"{problem.name}: what-if questions are of one class against another, and its label is {what}. The "
            "card says what moves the model."
        )
    with open_warehouse().connect() as connection:
        row = versions.read_version(connection, problem.name, version)
    folder = versions.models_folder(read_settings(), problem.name)
    with error_context(problem.name, f"version {version}"):
        stored = _load(folder, version, str(row["artifact_url"]), str(row["artifact_sha256"]), tuple(row["features"]))
    asked = make_row(stored.spec, values)
    p = float(predict_rows(stored, asked)[0])
    deadline = time.monotonic() + SECONDS_TO_SEARCH
    return {
        "p_positive": p,
        **say(problem, row, p),
        **explain(stored, asked),
        **search(problem, stored, asked, row, p, lambda: time.monotonic() > deadline),
    }


def make_row(spec: FeatureSpec, values: Values) -> pd.DataFrame:
    """Make one typed row of the values that somebody named.

    Raises:
        BadFeatures: names the feature, what it holds and what is allowed.
    """
    unknown = sorted(set(values) - set(spec.columns))
    if unknown:
        raise BadFeatures(
            f"{len(unknown)} of {len(values)} values are for features that the model does not read (first: "
            f"{unknown[0]!r}); it reads {', '.join(spec.columns)}."
        )
    row: dict[str, Any] = {name: [_number(name, values.get(name))] for name in spec.numeric}
    for name in [*spec.categories, *spec.text]:
        value = values.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST_TEXT):
            raise BadFeatures(f"{name!r} takes a text of at most {LONGEST_TEXT:,} characters, or nothing.")
        row[name] = pd.Series([value or None], dtype="object")
    return pd.DataFrame(row)


def explain(stored: StoredModel, asked: pd.DataFrame) -> Answer:
    """Say what moved the probability, or why that cannot be said."""
    try:
        found = explain_rows(take_apart(stored.model), build_features(asked, stored.spec))
    except CannotExplain as error:
        return {"log_odds": None, "contributions": [], "contributions_note": str(error)}
    note = (
        "In log-odds before calibration; above 0 pushes towards the positive class. They sum to the model's log-odds."
    )
    return {
        "log_odds": float(found.log_odds[0]),
        "contributions": list_contributions(found, 0),
        "contributions_note": note,
    }


def search(
    problem: Problem,
    stored: StoredModel,
    asked: pd.DataFrame,
    row: versions.Row,
    p: float,
    is_out_of_time: Callable[[], bool],
) -> Answer:
    """Search for the smallest permitted change with which something else is done; none found is an answer.

    Args:
        asked: one typed row.
        row: of the registry.
        p: what the model says about it, 0..1.
    """
    permitted = {
        name: allowed for name, allowed in training_of(problem).changeable.items() if name in stored.spec.columns
    }
    if not permitted:
        return {"changes": [], "changes_note": "The problem's file names nothing that may be changed."}
    ask_from, act_from = _boundaries(row)
    # Between the two a person decides: to cross the threshold there would change nothing that is done.
    threshold = act_from if p >= act_from else ask_from
    found = find_counterfactuals(
        lambda rows: np.asarray(predict_rows(stored, rows)), asked, permitted, threshold, is_out_of_time
    )
    changes = [
        {
            "p_positive": one.p_positive,
            "steps": [
                {"feature": name, "before": _plain(before), "after": _plain(after)}
                for name, (before, after) in one.changes.items()
            ],
        }
        for one in found.found
    ]
    return {"changes": changes, "changes_note": _note_of(found, list(permitted))}


def _note_of(found: Search, permitted: list[str]) -> str:
    """Say how far the search went."""
    if found.found and not found.is_complete:
        return f"Each was put to the model as a whole row; after {SECONDS_TO_SEARCH:g} s no others were looked for."
    if not found.is_complete:
        return f"No change was found in {SECONDS_TO_SEARCH:g} s; the search did not try everything."
    if not found.found:
        return f"None found: no change of up to three of {', '.join(permitted)}, as far as they may be, turns it."
    return "Each was put to the model as a whole row; nothing else is changed."


def say(problem: Problem, row: versions.Row, p: float) -> Answer:
    """Say what the probability means, and what is done with it.

    Args:
        row: of the registry; where people are asked, from the probability up to which they are on it is acted.
        p: 0..1.
    """
    label = label_of(problem)
    other = next(name for name in label.classes if name != label.positive).replace("_", " ")
    positive = label.positive_class.replace("_", " ")
    n_other = round(100 * (1 - p))
    ask_from, act_from = _boundaries(row)
    if p >= act_from:
        action = f"It is treated as {positive}, as from {100 * act_from:.0f} of 100 on."
    elif p >= ask_from:
        action = f"A person is asked, as between {100 * ask_from:.0f} and {100 * act_from:.0f} of 100."
    else:
        action = f"It is left alone: below {100 * ask_from:.0f} of 100."
    return {
        "sentence": f"Of 100 like this, {n_other} are {other} and {100 - n_other} {positive}.",
        "action": action,
    }


def _boundaries(row: versions.Row) -> tuple[float, float]:
    """Say from which probability on a person is asked, and from which on it is acted; one where nobody is asked."""
    if row["ask_from_ratio"] is None or row["ask_until_ratio"] is None:
        return float(row["threshold_ratio"]), float(row["threshold_ratio"])
    return float(row["ask_from_ratio"]), float(row["ask_until_ratio"])


def _number(name: str, value: Any) -> float:
    """Read a number that somebody named; nothing is missing.

    Raises:
        BadFeatures: it is no number.
    """
    if value is None or value == "":
        return float("nan")
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("inf")
    if isinstance(value, bool) or not np.isfinite(found):
        raise BadFeatures(f"{name!r} takes a number, or nothing; it was {value!r:.40}.")
    return found


def _plain(value: Any) -> Any:
    """Give a value as JSON has it."""
    return None if pd.isna(value) else value if isinstance(value, str) else float(value)


@functools.lru_cache(maxsize=N_MODELS_KEPT)
def _load(folder: Path, version: str, name: str, sha256: str, features: tuple[str, ...]) -> StoredModel:
    """Load a model once; its name and hash say that it is still the same."""
    row = {"model_version": version, "artifact_url": name, "artifact_sha256": sha256, "features": features}
    return artifacts.load_registered(folder, row)
