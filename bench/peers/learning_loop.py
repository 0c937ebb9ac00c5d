"""The loop that every strategy is measured in, ours and the peers': the same rows, splits, model and steps.

Runs in both environments, so it imports only what both have.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

N_START, N_STEP, N_STOP = 10, 5, 150


@dataclass
class State:
    """What a strategy may look at: the pool, what was labelled, and what the model says now."""

    words: Any
    vectors: NDArray[np.float64]
    y: NDArray[np.int64]
    rng: np.random.Generator
    seed: int
    labelled: list[int] = field(default_factory=list)
    model: Any = None

    @property
    def rest(self) -> NDArray[np.intp]:
        """Give the positions without a label."""
        is_left = np.ones(self.words.shape[0], dtype=bool)
        is_left[self.labelled] = False
        return np.flatnonzero(is_left)

    def proba(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Ask the model about some positions; a model that knows one class only knows nothing."""
        n_classes = int(self.y.max()) + 1
        if self.model is None:
            return np.full((len(rows), n_classes), 1 / n_classes)
        return widen(self.model, self.words[rows], n_classes)


Strategy = Callable[[State, int], Any]


def widen(model: Any, rows: Any, n_classes: int) -> NDArray[np.float64]:
    """Give each class its column, also those that the model has not met."""
    proba = np.zeros((rows.shape[0], n_classes))
    proba[:, model.classes_] = model.predict_proba(rows)
    return proba


def fit(words: Any, y: NDArray[np.int64]) -> Any:
    """Fit the model that all strategies share, as the text candidate of the learning room is set."""
    return LogisticRegression(C=100.0, max_iter=1000).fit(words, y) if len(np.unique(y)) > 1 else None


def auc_of(model: Any, words: Any, y: NDArray[np.int64]) -> float:
    """Measure a model: AUC, one against the rest where there are more than two classes; 0.5 without a model."""
    if model is None:
        return 0.5
    proba = widen(model, words, int(y.max()) + 1)
    if proba.shape[1] == 2:
        return float(roc_auc_score(y, proba[:, 1]))
    return float(roc_auc_score(y, proba / proba.sum(axis=1, keepdims=True), multi_class="ovr"))


def load(path: Path) -> tuple[Any, NDArray[np.float64], NDArray[np.int64]]:
    """Read one data set: words, vectors and classes."""
    stored = np.load(path)
    words = sparse.csr_matrix((stored["data"], stored["indices"], stored["indptr"]), shape=stored["shape"])
    return words, stored["vectors"], stored["y"]


def run(path: Path, start: Strategy, strategy: Strategy, seed: int) -> list[float]:
    """Play one repeat: a third of the rows is held out, the rest is the pool.

    Returns:
        AUC after 10, 15, ... 150 labels.
    """
    words, vectors, y = load(path)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    held, pool = order[: len(y) // 3], order[len(y) // 3 :]
    state = State(words[pool], vectors[pool], y[pool], rng, seed)
    curve: list[float] = []
    while True:
        ask = strategy if state.labelled else start
        state.labelled += [int(row) for row in ask(state, N_STEP if state.labelled else N_START)]
        state.model = fit(state.words[state.labelled], state.y[state.labelled])
        curve.append(auc_of(state.model, words[held], y[held]))
        if len(state.labelled) >= N_STOP:
            return curve


def start_by_chance(state: State, n_chosen: int) -> NDArray[np.intp]:
    """Draw the first labels: the same for every strategy of one seed, ours and the peers'."""
    return np.random.default_rng(state.seed).choice(len(state.y), n_chosen, replace=False)


def main(strategies: dict[str, tuple[Strategy, Strategy]]) -> None:
    """Play one strategy over some seeds: PATH NAME FIRST_SEED N_SEEDS; print the curves as JSON."""
    path, name, first, n_seeds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    print(json.dumps([run(path, *strategies[name], seed) for seed in range(first, first + n_seeds)]))
