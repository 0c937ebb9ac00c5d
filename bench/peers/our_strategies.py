"""Our strategies in the shared loop: `python our_strategies.py FILE NAME FIRST_SEED N_SEEDS`, in our environment."""

from typing import Any

import numpy as np
from learning_loop import State, Strategy, fit, main, start_by_chance, widen

from include.review.selection.covering import choose_covering, weigh_uncertainty
from include.review.selection.heldout_gain import gain_of
from include.review.selection.uncertainty import predictive_entropy
from tests.include.review.selection.oracles import choose_most_uncertain, margin_doubt

N_FOLDS = 5
TRUSTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)


def _by_chance(state: State, n_chosen: int) -> Any:
    return state.rng.choice(state.rest, n_chosen, replace=False)


def _most_uncertain(measure: Any) -> Strategy:
    def ask(state: State, n_chosen: int) -> Any:
        rest = state.rest
        return rest[choose_most_uncertain(measure(state.proba(rest)), rest.astype(str), n_chosen)]

    return ask


def _believe(state: State) -> tuple[float, float]:
    """Say how much better than the base rate the model is out of fold, and how far its log odds are to be trusted.

    The learning room measures the first on the control arm, and calibrates; here are only the labels of the strategy.
    """
    rows = np.asarray(state.labelled)
    y = state.y[rows]
    n_classes = int(state.y.max()) + 1
    order = np.lexsort((np.random.default_rng(0).random(len(y)), y))
    folds = np.empty(len(y), dtype=np.intp)
    folds[order] = np.arange(len(y)) % N_FOLDS
    base, p = np.empty((2, len(y), n_classes))
    for fold in range(N_FOLDS):
        teaches = folds != fold
        counts = np.bincount(y[teaches], minlength=n_classes) + 1.0
        base[~teaches] = counts / counts.sum()
        model = fit(state.words[rows[teaches]], y[teaches])
        p[~teaches] = base[~teaches] if model is None else widen(model, state.words[rows[~teaches]], n_classes)

    def loss(said: Any) -> float:
        return float(-np.log(np.clip(said[np.arange(len(y)), y], 1e-12, 1.0)).mean())

    trust = min(TRUSTS, key=lambda share: loss(_temper(p, share)))
    return gain_of(loss(_temper(p, trust)), loss(base)), trust


def _temper(p: Any, trust: float) -> Any:
    """Scale log odds: 1 leaves probabilities as they are, 0 makes all classes equally likely."""
    tempered = np.exp(trust * np.log(np.clip(p, 1e-9, 1.0)))
    return tempered / tempered.sum(axis=1, keepdims=True)


def _cover(state: State, n_chosen: int) -> Any:
    """Choose as a round does: what stands for the pool, weighed by uncertainty as far as that is believed."""
    rest = state.rest
    weights = np.ones(len(rest))
    if state.model is not None:
        gain, trust = _believe(state)
        if gain:
            weights = weigh_uncertainty(predictive_entropy(_temper(state.proba(rest), trust)), weights, gain)
    return rest[choose_covering(state.vectors[rest], weights, n_chosen, covered=state.vectors[state.labelled])]


STRATEGIES: dict[str, tuple[Strategy, Strategy]] = {
    "ours: random": (start_by_chance, _by_chance),
    "ours: entropy": (start_by_chance, _most_uncertain(predictive_entropy)),
    "ours: margin": (start_by_chance, _most_uncertain(margin_doubt)),
    "ours: cover, then uncertainty": (_cover, _cover),
}

if __name__ == "__main__":
    main(STRATEGIES)
