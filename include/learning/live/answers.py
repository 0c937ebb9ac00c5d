"""A promoted model that answers one row at a time, while somebody waits; the door of this room for `include/serving`.

What belongs here: loading it, checking what it is asked, and its answer. What does not: who may ask, and over what
(`include/serving`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.dataset import has_reviewers, is_of_several, label_of, value_of
from include.learning.data.features import FeatureSpec, build_features
from include.learning.errors import BadFeatures, CannotExplain
from include.learning.explain.contributions import explain_rows, list_contributions
from include.learning.explain.model_parts import take_apart
from include.learning.live.trees import is_like, read_trees
from include.learning.registry import versions
from include.learning.registry.artifacts import StoredModel, load_registered
from include.learning.several.decisions import choose_actions, decisions_of
from include.learning.several.predict import predict_table
from include.learning.training.estimators import positive_probability
from include.problems.schema import Problem
from include.settings import Settings
from include.stats.probabilities import require_probabilities

LONGEST_TEXT = 20_000  # characters of a value; a model reads the first 4,000
LARGEST_WHOLE = 2**63
N_PROBES = 64
ACT, ASK, LEAVE = "act", "ask", "leave"
# What of a version's row answers need; the service keeps it on its disk.
KEPT = ("model_version", "artifact_url", "artifact_sha256", "features")
BOUNDARIES = ("threshold_ratio", "ask_from_ratio", "ask_until_ratio")

Row = Mapping[str, object]
Answer = dict[str, object]
Features = Mapping[str, object]


@dataclass(frozen=True)
class LiveModel:
    """A model with everything that an answer needs.

    Attributes:
        version: its name in the registry.
        spec: what it reads.
        kinds: the type that the problem's file declares for each column it reads.
        answer: rows whose features were read by `read_features` to an answer each.
        explain: one such row to what moved it, or a note why that cannot be said.
    """

    version: str
    spec: FeatureSpec
    kinds: Mapping[str, str]
    answer: Callable[[Sequence[Features]], list[Answer]]
    explain: Callable[[Features], Answer]


def read_promoted(connection: Connection, problem: str) -> Row | None:
    """Read which version serves the newest partitions, as plain values; None where none does."""
    promoted = versions.list_promoted(connection, problem)
    if not promoted:
        return None
    row = versions.read_version(connection, problem, str(promoted[-1]["model_version"]))
    return {name: row[name] for name in (*KEPT, *BOUNDARIES)}


def model_file(settings: Settings, problem: str, row: Row) -> Path:
    """Name the file of a registered model."""
    return versions.models_folder(settings, problem) / str(row["artifact_url"])


def why_unanswered(problem: Problem) -> str:
    """Say why no single row of a problem is answered; empty where its label is of a kind that is."""
    kind = label_of(problem).kind
    if kind in ("two_classes", "several_classes", "several_labels"):
        return ""
    return (
        f"{problem.name}: its label is a {kind}; single decisions are made about classes. Its predictions stand in "
        "the lake."
    )


def load_live(problem: Problem, row: Row, folder: Path) -> LiveModel:
    """Make a registered model ready to answer.

    Args:
        problem: whose it is.
        row: from `read_promoted`.
        folder: that holds its file.

    Raises:
        TamperedModel: the file is not the registered one.
        CannotExplain: its label is of a kind that is not answered row by row.
        BadProblem: the problem's file has dropped a section, or a column, that the model needs.
    """
    if why := why_unanswered(problem):
        raise CannotExplain(why)
    stored = load_registered(folder, row)
    kinds = {name: problem.columns[name].type for name in stored.spec.columns if name in problem.columns}
    of_rows = _answer_classes(problem, stored) if is_of_several(problem) else _answer_two_sides(problem, stored, row)
    live = LiveModel(stored.model_version, stored.spec, kinds, of_rows, lambda features: _explain(stored, features))
    live.answer([dict.fromkeys(stored.spec.columns)])  # the first answer of a process takes ten times as long
    return live


def read_features(live: LiveModel, given: object) -> dict[str, object]:
    """Check what a model is asked about against the declared columns.

    Args:
        given: feature to a value of the column's type, or None for missing; each that the model reads must be named,
            because one that was forgotten would be answered as if nobody knew it.

    Returns:
        the same, numbers as doubles.

    Raises:
        BadFeatures: names every column that is unknown, left out, or of another type, and what is allowed.
    """
    if not isinstance(given, Mapping):
        raise BadFeatures(f"'features' must be an object of {len(live.spec.columns)} columns: {_list(live)}.")
    wrong = [f"{name!r} is not read" for name in given if name not in live.spec.columns]
    wrong += [f"{name!r} is left out (null says missing)" for name in live.spec.columns if name not in given]
    read: dict[str, object] = {}
    for name in (name for name in live.spec.columns if name in given):
        kind = live.kinds.get(name, "string")
        value, is_good = _read_value(given[name], kind)
        if not is_good:
            wrong.append(f"{name!r} is {given[name]!r:.40}, not {_ALLOWED[kind]}")
        elif name in live.spec.numeric:
            read[name] = math.nan if value is None else float(value)  # type: ignore[arg-type]
        else:
            read[name] = _write_word(value)
    if wrong:
        raise BadFeatures(
            f"{len(wrong)} of the {len(live.spec.columns)} columns of {live.version} are wrong: {'; '.join(wrong[:8])}"
            f"{'; ...' if len(wrong) > 8 else ''}. It reads {_list(live)}."
        )
    return read


def _list(live: LiveModel) -> str:
    """Write which columns a model reads, each with its type."""
    return ", ".join(f"{name} ({live.kinds.get(name, 'string')})" for name in live.spec.columns)


_ALLOWED = {
    "integer": "a whole number of 64 bits",
    "number": "a finite number",
    "boolean": "true or false",
    "string": f"a text of at most {LONGEST_TEXT:,} characters",
    "timestamp": "a text of its time",
    "json": "a text of its JSON",
}


def _read_value(value: object, kind: str) -> tuple[object, bool]:
    """Read a value of a declared type, and say whether it is one."""
    if value is None:
        return None, True
    if kind == "boolean":
        return value, isinstance(value, bool)
    if kind in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None, False
        if kind == "integer":
            return value, -LARGEST_WHOLE <= value < LARGEST_WHOLE and value == int(value)
        return value, math.isfinite(value) if isinstance(value, float) else abs(value) <= 10**300
    return value, isinstance(value, str) and len(value) <= LONGEST_TEXT


def _write_word(value: object) -> str | None:
    """Write a category as training did: 3.0 is the word 3."""
    return None if value is None else str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def frame_of(spec: FeatureSpec, rows: Sequence[Features]) -> pd.DataFrame:
    """Make the frame that a model sees of rows whose features were read."""
    columns: dict[str, object] = {
        name: np.array([row[name] for row in rows], dtype=np.float64) for name in spec.numeric
    }
    for name in [*spec.categories, *spec.text]:
        columns[name] = pd.Series([row[name] for row in rows], dtype="object")
    return build_features(pd.DataFrame(columns), spec)


def _answer_two_sides(problem: Problem, stored: StoredModel, row: Row) -> Callable[[Sequence[Features]], list[Answer]]:
    """Make what answers of a positive class and its other."""
    label = label_of(problem)
    act_from = float(str(row["threshold_ratio"]))
    ask_from, ask_until = row["ask_from_ratio"], row["ask_until_ratio"]
    span = (
        (act_from, act_from) if ask_from is None or ask_until is None else (float(str(ask_from)), float(str(ask_until)))
    )
    fixed = {"model_version": stored.model_version, "positive": label.positive_class, "threshold": span[1]}
    ask_model = _fastest(stored)

    def answer(rows: Sequence[Features]) -> list[Answer]:
        p = ask_model(rows)
        require_probabilities(p)
        actions = [ACT if one >= span[1] else ASK if one >= span[0] else LEAVE for one in p.tolist()]
        return [{**fixed, "p_positive": one, "action": action} for one, action in zip(p.tolist(), actions, strict=True)]

    return answer


def _fastest(stored: StoredModel) -> Callable[[Sequence[Features]], NDArray[np.float64]]:
    """Give the quickest way to a model's probabilities that says exactly what the model says."""

    def slow(rows: Sequence[Features]) -> NDArray[np.float64]:
        return positive_probability(stored.model, frame_of(stored.spec, rows))

    last = stored.model[-1]
    score_map = last.score_map if isinstance(last, Calibrated) else None
    trees = read_trees(take_apart(stored.model), stored.spec, score_map)
    return trees if trees is not None and is_like(trees, slow, _probes(stored.spec)) else slow


def _probes(spec: FeatureSpec) -> list[Features]:
    """Make rows of every kind of value: missing, known, unknown, large."""
    rng = np.random.default_rng(0)
    numbers = [math.nan, 0.0, 1.0, -1.0, 1e9]
    probes: list[Features] = []
    for index in range(N_PROBES):
        numeric = {name: float(rng.choice(numbers)) if index % 2 else float(rng.normal() * 10) for name in spec.numeric}
        words = {name: [*values, "(never seen)", None] for name, values in spec.categories.items()}
        probes.append(numeric | {name: values[int(rng.integers(len(values)))] for name, values in words.items()})
    return probes


def _answer_classes(problem: Problem, stored: StoredModel) -> Callable[[Sequence[Features]], list[Answer]]:
    """Make what answers of several classes, or several labels."""
    label = label_of(problem)
    decisions = decisions_of(label, value_of(problem), has_reviewers=has_reviewers(problem))

    def answer(rows: Sequence[Features]) -> list[Answer]:
        p = predict_table(stored, frame_of(stored.spec, rows), label.classes, is_built=True)
        return [
            {
                "model_version": stored.model_version,
                "probabilities": dict(zip(label.classes, row.tolist(), strict=True)),
                "action": action,
            }
            for row, action in zip(p, choose_actions(p, decisions), strict=True)
        ]

    return answer


def _explain(stored: StoredModel, features: Features) -> Answer:
    """Say what moved one answer, in log-odds before calibration, or why that cannot be said."""
    try:
        found = explain_rows(take_apart(stored.model), frame_of(stored.spec, [features]))
    except (CannotExplain, AttributeError) as error:
        note = str(error) if isinstance(error, CannotExplain) else "A model of several classes has no one list."
        return {"contributions": [], "note": note}
    return {
        "log_odds": float(found.log_odds[0]),
        "contributions": [{"feature": name, "log_odds": value} for name, value in list_contributions(found, 0)],
    }
